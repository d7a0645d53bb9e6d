"""What runs and backfills show at their end: on the terminal, and as HTML pages in `html/`."""
