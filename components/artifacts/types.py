"""Artifact types that TFX's standard ones do not cover.

On Kubeflow a task finds an artifact's class by the type's name, and TFX's compiler accepts only
names of the form `package.Class`; therefore `components` exports these classes too.
"""

from tfx.types import artifact


class Histories(artifact.Artifact):
    """Parquet files of every user's accepted events, sharded by a hash of the user id: see
    `components.ingest.output.histories`.
    """

    TYPE_NAME = "components.Histories"


class Candidates(artifact.Artifact):
    """Ids, vectors and log popularity of every catalogue item: see `schema.candidates`."""

    TYPE_NAME = "components.Candidates"


class Metrics(artifact.Artifact):
    """Metrics of a run as properties; KFP shows and compares them as a `system.Metrics`."""

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
