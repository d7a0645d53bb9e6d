"""Artifact types that TFX's standard ones do not cover.

On Kubeflow a task has nothing but the type's name to find its class by, and TFX's compiler takes
names of the form `package.Class` alone: `components` answers to both.
"""

from tfx.types import artifact


class Histories(artifact.Artifact):
    """Parquet files of every user's accepted events, sharded by a hash of the user id: see
    `components.ingest.output.histories`.
    """

    TYPE_NAME = "components.Histories"


class Candidates(artifact.Artifact):
    """Vectors and ids of every catalogue item, and the taste-free part of their scores: see
    `schema.candidates`.
    """

    TYPE_NAME = "components.Candidates"


class Metrics(artifact.Artifact):
    """Numbers of a run as properties; KFP draws and compares them as a `system.Metrics`."""

    TYPE_NAME = "components.Metrics"


class Page(artifact.Artifact):
    """The URI of an HTML file, which KFP shows as a `system.HTML`."""

    TYPE_NAME = "components.Page"


class Words(artifact.Artifact):
    """The URI of a Markdown file, which KFP shows as a `system.Markdown`."""

    TYPE_NAME = "components.Words"


class Verdict(artifact.Artifact):
    """`verdict.json`: how a run on Kubeflow ended, see `components.run_verdict`."""

    TYPE_NAME = "components.Verdict"
