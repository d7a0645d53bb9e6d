"""Planted tables written as Examples and described by the real statistics."""

import pathlib

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from components.ingest.output import examples
from components.validation import split_statistics


def beam_pipeline() -> beam.Pipeline:
    arguments = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
    return beam.Pipeline(options=PipelineOptions(arguments))


def lay_examples(uri: str, tables: dict[str, dict[str, list]]) -> None:
    """Writes {split: {feature: values by row}}; a split without a column has no Example."""
    examples.prepare(uri, tuple(tables))
    for split, columns in tables.items():
        with examples.open_writer(uri, split, 0, 1) as writer:
            if columns:
                examples.write(writer, pa.table(columns))


@pytest.fixture(scope="module")
def describe(tmp_path_factory):
    """describe({split: {feature: values by row}}) -> ({split: statistics}, URI of the Examples)."""

    def run(tables: dict[str, dict[str, list]]) -> tuple[dict, str]:
        folder: pathlib.Path = tmp_path_factory.mktemp("described")
        source, uri = str(folder / "examples"), str(folder / "statistics")
        lay_examples(source, tables)
        with beam_pipeline() as pipeline:
            split_statistics.build(pipeline, source, uri, list(tables))
        return {split: split_statistics.load(uri, split) for split in tables}, source

    return run
