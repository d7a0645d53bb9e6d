"""The contract: feature names, kinds and roles, curated TFDV schemas, signature names.

This package imports nothing of Tandem's own; every other package may import it.
"""
