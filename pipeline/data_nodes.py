"""The DAG's data stages: ingestion, statistics, validation and Transform of both tables."""

from collections.abc import Mapping

from google.protobuf import text_format
from tfx.dsl.components.base.base_node import BaseNode
from tfx.proto import transform_pb2
from tfx.types import Channel

from components.data_gate import DataGate
from components.interactions_gen import InteractionsGen
from components.items_gen import ItemsGen
from components.schema_gen import SchemaGen
from components.statistics_gen import StatisticsGen
from components.stock_components import ExampleValidator, Transform
from pipeline.config.config import TABLES, Config
from pipeline.config.run_parameters import RunLocations, RunParameters
from pipeline.config.table_schemas import build_table_schema
from schema import timeline

_UNRELATED = {"recommend"}
"""Sections that no data stage depends on: a change of them leaves these stages cached."""


def build_table_nodes(
    config: Config, locations: RunLocations, fingerprint: str, parameters: RunParameters
) -> dict[str, BaseNode]:
    """Ingestion and statistics of both tables, by role.

    Args:
        config: The pipeline's configuration.
        locations: Where the run reads and writes.
        fingerprint: Hash of the input files' content.
        parameters: The run's parameters; ingestion reads the span.
    """
    source = {
        "dataset": config.dataset.model_dump_json(exclude=_UNRELATED),
        "data_dir": locations.data,
        "span": parameters.span,
        "rejected_dir": locations.rejected,
        "fingerprint": fingerprint,
    }
    interactions = InteractionsGen(**source)
    inputs = {}
    if config.data.items is None:
        inputs["histories"] = interactions.outputs["histories"]
    if config.data.needs_test_cut:
        inputs["events"] = interactions.outputs["examples"]
    nodes: dict[str, BaseNode] = {
        "items": ItemsGen(**source, **inputs),
        "interactions": interactions,
    }
    for table in TABLES:
        examples = nodes[table].outputs["examples"]
        statistics = StatisticsGen(examples=examples)
        nodes[f"{table}_statistics"] = statistics.with_id(f"StatisticsGen.{table}")
    return nodes


def build_data_nodes(
    config: Config,
    locations: RunLocations,
    fingerprint: str,
    previous_statistics: Mapping[str, str],
    parameters: RunParameters,
) -> dict[str, BaseNode]:
    """All data stages, by role.

    Args:
        config: The pipeline's configuration.
        locations: Where the run reads and writes.
        fingerprint: Hash of the input files' content.
        previous_statistics: URIs of the previous data's statistics by table, "" for none.
        parameters: The run's parameters; ingestion reads the span.
    """
    dataset = config.dataset.model_dump_json(exclude=_UNRELATED)
    nodes = build_table_nodes(config, locations, fingerprint, parameters)
    for table in TABLES:
        nodes |= _build_validation_nodes(table, nodes[f"{table}_statistics"], config)
    gate = DataGate(
        **_collect_gate_inputs(nodes),
        **{f"{table}_before": previous_statistics[table] for table in TABLES},
        fingerprint=fingerprint,
        pages=locations.statistics,
    )
    nodes["gate"] = gate
    nodes["items_transform"] = _build_transform(
        "items", nodes, "preprocess_items", dataset, [timeline.CATALOGUE_SPLIT], gate
    )
    nodes["interactions_transform"] = _build_transform(
        "interactions", nodes, "preprocess_timelines", dataset, list(timeline.SPLITS), gate
    )
    return nodes


def _build_validation_nodes(
    table: str, statistics: BaseNode, config: Config
) -> dict[str, BaseNode]:
    text = text_format.MessageToString(build_table_schema(config, table))
    schema = SchemaGen(text=text).with_id(f"SchemaGen.{table}")
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    ).with_id(f"ExampleValidator.{table}")
    return {f"{table}_schema": schema, f"{table}_validator": validator}


def _collect_gate_inputs(nodes: Mapping[str, BaseNode]) -> dict[str, Channel]:
    """The gate's inputs from each table."""
    inputs: dict[str, Channel] = {}
    for table in TABLES:
        inputs[table] = nodes[table].outputs["examples"]
        inputs[f"{table}_schema"] = nodes[f"{table}_schema"].outputs["schema"]
        inputs[f"{table}_statistics"] = nodes[f"{table}_statistics"].outputs["statistics"]
        inputs[f"{table}_anomalies"] = nodes[f"{table}_validator"].outputs["anomalies"]
    return inputs


def _build_transform(
    table: str,
    nodes: dict[str, BaseNode],
    function: str,
    dataset: str,
    splits: list[str],
    gate: BaseNode,
) -> BaseNode:
    """Vocabularies and statistics are computed on the first split only: train, or the whole
    catalogue.
    """
    transform = Transform(
        examples=nodes[table].outputs["examples"],
        schema=nodes[f"{table}_schema"].outputs["schema"],
        preprocessing_fn=f"trainer.data.preprocessing.{function}",
        splits_config=transform_pb2.SplitsConfig(analyze=splits[:1], transform=splits),
        custom_config={"dataset": dataset},
        disable_statistics=True,
    ).with_id(f"Transform.{table}")
    transform.add_upstream_node(gate)
    return transform
