"""Recommendations for many users at once."""
