"""TFX component: the catalogue's files -> one Example an item."""

# TFX reads the annotations below as a declaration; what the function is given are plain values.
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
    pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes `examples` (one split, `all`); the way is `components.ingest.items`.

    `dataset` is the JSON of `schema.dataset.Dataset`, read at `span` (see `Dataset.select_span`).
    `fingerprint` of the input is not read: it makes the cache see that files changed. The
    custom property `counts` of `examples` is the JSON of `components.ingest.output.counts.Counts`.
    Raises DataRefused by the rules of `components.ingest.output.acceptance`.
    """
    described = Dataset.model_validate_json(dataset).select_span(span)
    with pipeline:
        items.build(pipeline, described, data_dir, examples.uri, rejected_dir)
    counted = counts.load(examples.uri)
    acceptance.check(counted, described.data, rejected_dir)
    examples.split_names = artifact_utils.encode_split_names([timeline.CATALOGUE_SPLIT])
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    examples.set_string_custom_property("counts", counted.to_json())
