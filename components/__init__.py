"""Thin TFX shells over `trainer`, `serving` and `schema`; ingestion's own pure core lies in
`components.ingest`.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """The classes of `components.artifacts.types`, where a Kubeflow task looks for them.

    It knows an artifact's class by the name `components.Class` alone. Imported when asked for:
    TFX costs seconds, and ingestion's core does without it.
    """
    if name in {"Histories", "Candidates", "Verdict", "Metrics", "Page", "Words"}:
        from components.artifacts import types as artifact_types

        return getattr(artifact_types, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
