"""Formats of plain pairs of user and item, without names of columns and without times."""
