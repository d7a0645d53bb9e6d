"""Rows of the event log with several items -> one record for each item."""
