"""The HTML pages: a run's report, and a backfill's quality by day. One module per section."""
