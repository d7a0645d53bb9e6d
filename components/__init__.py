"""Thin TFX shells over `trainer`, `serving` and `schema`; ingestion's own pure core lies in
`components.ingest`.
"""
