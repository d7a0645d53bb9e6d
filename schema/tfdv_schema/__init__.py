"""TFDV schemas of the two Examples artifacts: implied rules, default comparators, curated files."""

from schema.tfdv_schema.curated import apply_curated, apply_shipped
from schema.tfdv_schema.default_drift import add_default_drift, has_default_drift
from schema.tfdv_schema.implied import build_interactions, build_items

__all__ = [
    "add_default_drift",
    "apply_curated",
    "apply_shipped",
    "build_interactions",
    "build_items",
    "has_default_drift",
]
