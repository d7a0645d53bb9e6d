"""TFX component: event log and user table -> timelines by split, and histories."""

# TFX reads the annotations below as declarations; the function receives plain values.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# pyright: reportInvalidTypeArguments=false

import apache_beam as beam
from tfx.components.util import examples_utils
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples

from components.artifacts.types import Histories
from components.ingest import interactions
from components.ingest.output import acceptance, counts
from schema import timeline
from schema.dataset import Dataset


@component(use_beam=True)
def InteractionsGen(
    examples: OutputArtifact[Examples],
    histories: OutputArtifact[Histories],
    dataset: Parameter[str],
    data_dir: Parameter[str],
    span: Parameter[str],
    rejected_dir: Parameter[str],
    fingerprint: Parameter[str],
    pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes `examples` and `histories` with `components.ingest.interactions`.

    The custom property `counts` of `examples` is the JSON of
    `components.ingest.output.counts.Counts`. Raises DataRefused if the data break a rule of
    `components.ingest.output.acceptance`.

    Args:
        examples: Receives timeline Examples with the splits train, valid and test.
        histories: Receives the histories of all users.
        dataset: JSON of `schema.dataset.Dataset`.
        data_dir: Folder or URL that relative paths of tables start from.
        span: Span to read, "" for the one in `dataset` (see `Dataset.select_span`).
        rejected_dir: Folder or URL of the rejected records.
        fingerprint: Fingerprint of the input. It is not read here; it invalidates TFX's cache when
            a file changes.
        pipeline: Beam pipeline, which TFX provides.
    """
    described = Dataset.model_validate_json(dataset).select_span(span)
    with pipeline:
        interactions.build(pipeline, described, data_dir, examples.uri, histories.uri, rejected_dir)
    counted = counts.load(examples.uri)
    acceptance.check(counted, described.data, rejected_dir)
    examples.split_names = artifact_utils.encode_split_names(list(timeline.SPLITS))
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    examples.set_string_custom_property("counts", counted.to_json())
