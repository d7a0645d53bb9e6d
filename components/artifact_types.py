"""Artifact types that TFX's standard ones do not cover."""

from tfx.types import artifact


class Histories(artifact.Artifact):
    """Parquet files of every user's accepted events, sharded by a hash of the user id: see
    `components.ingest.histories`.
    """

    TYPE_NAME = "TandemHistories"


class Candidates(artifact.Artifact):
    """Vectors and ids of every catalogue item, and the taste-free part of their scores: see
    `schema.candidates`.
    """

    TYPE_NAME = "TandemCandidates"
