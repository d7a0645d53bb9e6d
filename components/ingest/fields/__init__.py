"""Records -> typed fields, and why a value is refused."""
