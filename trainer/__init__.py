"""Training and evaluation: preprocessing, both models, metrics and export. Of our own packages it
imports `schema` alone.
"""
