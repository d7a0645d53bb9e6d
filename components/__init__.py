"""TFX components: thin shells over `trainer`, `serving` and `schema`, and over the TFX-free code of
ingestion in `components.ingest`.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Returns a class of `components.artifacts.types`.

    A task on Kubeflow knows an artifact's class only by the name `components.Class`. The import is
    lazy because TFX takes seconds to import and ingestion does not need it.
    """
    if name in {"Histories", "Candidates", "Verdict", "Metrics", "Page", "Words"}:
        from components.artifacts import types as artifact_types

        return getattr(artifact_types, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
