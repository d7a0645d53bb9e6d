"""Writes the curated schema of one table."""

from google.protobuf import text_format
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts

from schema import curated_schema
from schema.dataset import Dataset


@component
def SchemaGen(
    schema: OutputArtifact[standard_artifacts.Schema],
    dataset: Parameter[str],
    name: Parameter[str],
    table: Parameter[str],
) -> None:
    """`dataset` is the JSON of `schema.dataset.Dataset`; `table` is `interactions` or `items`."""
    implied = getattr(curated_schema, table)(Dataset.model_validate_json(dataset))
    text = text_format.MessageToString(curated_schema.curated(implied, name, table))
    with fileio.open(f"{schema.uri}/schema.pbtxt", "w") as file:
        file.write(text)
