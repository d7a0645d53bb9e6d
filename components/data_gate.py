"""TFX component: stops the run if the data break a rule; ExampleValidator only records that."""

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.components.example_validator.executor import DEFAULT_FILE_NAME
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, ExampleStatistics, Schema

from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Verdict
from components.validation import findings, split_statistics, statistics_page
from components.validation.gate import GateTable, find_broken_rules
from schema.storage import object_store


@component
@use_local_copies
def DataGate(
    interactions: InputArtifact[Examples],
    interactions_schema: InputArtifact[Schema],
    interactions_statistics: InputArtifact[ExampleStatistics],
    interactions_anomalies: InputArtifact[ExampleAnomalies],
    items: InputArtifact[Examples],
    items_schema: InputArtifact[Schema],
    items_statistics: InputArtifact[ExampleStatistics],
    items_anomalies: InputArtifact[ExampleAnomalies],
    passed: OutputArtifact[Verdict],
    interactions_before: Parameter[str],
    items_before: Parameter[str],
    fingerprint: Parameter[str],
    pages: Parameter[str],
) -> None:
    """Writes `<pages>/<table>.html`, then raises DataRefused if a rule is broken.

    Args:
        interactions: Timeline Examples.
        interactions_schema: Schema of the timelines.
        interactions_statistics: Statistics of the timelines by split.
        interactions_anomalies: ExampleValidator's anomalies of the timelines by split.
        items: Catalogue Examples.
        items_schema: Schema of the catalogue.
        items_statistics: Statistics of the catalogue.
        items_anomalies: ExampleValidator's anomalies of the catalogue.
        passed: An empty artifact, which exists only if the data passed.
        interactions_before: URI of the statistics of the previous data that passed, "" for none;
            `pipeline.metadata` finds it.
        items_before: The same for the catalogue.
        fingerprint: Fingerprint of the input. It is not read here; later runs use it to find this
            execution.
        pages: Folder or URL of the HTML pages.
    """
    tables = [
        _load_table("interactions", interactions, interactions_schema, interactions_statistics,
               interactions_anomalies, interactions_before),
        _load_table("items", items, items_schema, items_statistics, items_anomalies, items_before),
    ]  # fmt: skip
    by_table = [find_broken_rules(table) for table in tables]
    with object_store.open_output_folder(pages) as folder:
        for table, broken in zip(tables, by_table, strict=True):
            statistics_page.write(f"{folder}/{table.name}.html", table, broken)
    findings.raise_findings([finding for broken in by_table for finding in broken], pages)


def _load_table(
    name: str,
    examples: Examples,
    schema: Schema,
    statistics: ExampleStatistics,
    anomalies: ExampleAnomalies,
    before: str,
) -> GateTable:
    splits = artifact_utils.decode_split_names(statistics.split_names)
    return GateTable(
        name,
        examples.uri,
        read_schema(schema.uri),
        {split: split_statistics.load(statistics.uri, split) for split in splits},
        {split: _load_anomalies(anomalies.uri, split) for split in splits},
        {split: split_statistics.load(before, split) for split in splits if before},
    )


def read_schema(uri: str) -> schema_pb2.Schema:
    """Reads the schema that SchemaGen wrote below `uri`."""
    with fileio.open(f"{uri}/schema.pbtxt") as file:
        return text_format.Parse(file.read(), schema_pb2.Schema())


def _load_anomalies(uri: str, split: str) -> anomalies_pb2.Anomalies:
    with fileio.open(f"{uri}/Split-{split}/{DEFAULT_FILE_NAME}", "rb") as file:
        return anomalies_pb2.Anomalies.FromString(file.read())
