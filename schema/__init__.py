"""The contract: feature names, kinds and roles, curated TFDV schemas, signature names.

This package imports no other package of Tandem; every other package may import it.
"""
