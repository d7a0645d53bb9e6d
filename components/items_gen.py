"""TFX component: the catalogue's files, or else the events -> one Example per item."""

# TFX reads the annotations below as declarations; the function receives plain values.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# pyright: reportInvalidTypeArguments=false

import apache_beam as beam
from tfx.components.util import examples_utils
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples

from components.artifacts.types import Histories
from components.ingest import items
from components.ingest.output import acceptance, counts
from schema import timeline
from schema.dataset import Dataset


@component(use_beam=True)
def ItemsGen(
    examples: OutputArtifact[Examples],
    dataset: Parameter[str],
    data_dir: Parameter[str],
    span: Parameter[str],
    rejected_dir: Parameter[str],
    fingerprint: Parameter[str],
    events: InputArtifact[Examples] = None,
    histories: InputArtifact[Histories] = None,
    pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes `examples` with `components.ingest.items`.

    The custom property `counts` of `examples` is the JSON of
    `components.ingest.output.counts.Counts`. Raises DataRefused if the data break a rule of
    `components.ingest.output.acceptance`.

    Args:
        examples: Receives catalogue Examples with one split, `all`.
        dataset: JSON of `schema.dataset.Dataset`.
        data_dir: Folder or URL that relative paths of tables start from.
        span: Span to read, "" for the one in `dataset` (see `Dataset.select_span`).
        rejected_dir: Folder or URL of the rejected records.
        fingerprint: Fingerprint of the input. It is not read here; it invalidates TFX's cache when
            a file changes.
        events: Examples of the events, required if `dataset.data.needs_test_cut`.
        histories: Histories of all users, required without a catalogue: the items are those of the
            events.
        pipeline: Beam pipeline, which TFX provides.
    """
    described = Dataset.model_validate_json(dataset).select_span(span)
    if described.data.items is None:
        items.write_logged_items(histories.uri, examples.uri)
    else:
        test_cut = None
        if described.data.needs_test_cut:
            test_cut = counts.load(events.uri).totals["t_test"]
        with pipeline:
            items.build(pipeline, described, data_dir, examples.uri, rejected_dir, test_cut)
    counted = counts.load(examples.uri)
    acceptance.check(counted, described.data, rejected_dir)
    examples.split_names = artifact_utils.encode_split_names([timeline.CATALOGUE_SPLIT])
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    examples.set_string_custom_property("counts", counted.to_json())
