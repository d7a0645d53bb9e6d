"""Types of artifacts, and how components read, write and copy them."""
