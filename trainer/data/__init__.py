"""Transformed data as arrays: preprocessing, catalogue, timelines, windows and queries."""
