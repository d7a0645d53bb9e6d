"""Learning: preprocessing, datasets, towers, losses, metrics, export. Imports `schema` alone of
our own.
"""
