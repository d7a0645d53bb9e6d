"""The DAG: one function, for every runner."""

import dataclasses

from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode
from tfx.proto import transform_pb2

from components.data_gate import DataGate
from components.evaluator import Evaluator
from components.indexer import Indexer
from components.infra_check import InfraCheck
from components.interactions_gen import InteractionsGen
from components.items_gen import ItemsGen
from components.pusher import Pusher
from components.ranking_trainer import RankingTrainer
from components.recommender import Recommender
from components.retrieval_trainer import RetrievalTrainer
from components.schema_gen import SchemaGen
from pipeline.config import Config
from schema import timeline


@dataclasses.dataclass(frozen=True)
class Locations:
    """Where a run reads and writes; paths or URIs."""

    data: str
    artifacts: str
    serving: str
    tensorboard: str
    rejected: str


def build(
    config: Config,
    at: Locations,
    fingerprint: str,
    metadata: "tfx.orchestration.metadata.ConnectionConfigType | None" = None,
) -> tfx.dsl.Pipeline:
    """`fingerprint` stands for the content of the input files, so that caching sees changed data.

    Each component is given only the part of the configuration that it depends on: what a change
    does
    not touch stays cached.
    """
    data = _data_nodes(config, at, fingerprint)
    models = _model_nodes(config, at, data)
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=at.artifacts,
        components=[*data.values(), *models.values()],
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=[f"--runner={config.beam.runner}", *config.beam.args],
    )


def _data_nodes(config: Config, at: Locations, fingerprint: str) -> dict[str, BaseNode]:
    dataset = config.dataset.model_dump_json()
    source = {"dataset": dataset, "data_dir": at.data, "rejected_dir": at.rejected}
    nodes: dict[str, BaseNode] = {
        "items": ItemsGen(**source, fingerprint=fingerprint),
        "interactions": InteractionsGen(**source, fingerprint=fingerprint),
    }
    for table in ("items", "interactions"):
        nodes |= _described(table, nodes[table], config, dataset)
    gate = DataGate(
        interactions=nodes["interactions_validator"].outputs["anomalies"],
        items=nodes["items_validator"].outputs["anomalies"],
    )
    nodes["gate"] = gate
    nodes["items_transform"] = _transform(
        "items", nodes, "preprocess_items", dataset, [timeline.CATALOGUE_SPLIT], gate
    )
    nodes["interactions_transform"] = _transform(
        "interactions", nodes, "preprocess_timelines", dataset, list(timeline.SPLITS), gate
    )
    return nodes


def _described(table: str, source: BaseNode, config: Config, dataset: str) -> dict[str, BaseNode]:
    examples = source.outputs["examples"]
    statistics = tfx.components.StatisticsGen(examples=examples).with_id(f"StatisticsGen.{table}")
    schema = SchemaGen(dataset=dataset, name=config.name, table=table).with_id(f"SchemaGen.{table}")
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    ).with_id(f"ExampleValidator.{table}")
    return {
        f"{table}_statistics": statistics,
        f"{table}_schema": schema,
        f"{table}_validator": validator,
    }


def _transform(
    table: str,
    nodes: dict[str, BaseNode],
    function: str,
    dataset: str,
    splits: list[str],
    gate: BaseNode,
) -> BaseNode:
    """Vocabularies and statistics come from the first split alone: train, or the whole
    catalogue.
    """
    transform = tfx.components.Transform(
        examples=nodes[table].outputs["examples"],
        schema=nodes[f"{table}_schema"].outputs["schema"],
        preprocessing_fn=f"trainer.preprocessing.{function}",
        splits_config=transform_pb2.SplitsConfig(analyze=splits[:1], transform=splits),
        custom_config={"dataset": dataset},
        disable_statistics=True,
    ).with_id(f"Transform.{table}")
    transform.add_upstream_node(gate)
    return transform


def _model_nodes(config: Config, at: Locations, data: dict[str, BaseNode]) -> dict[str, BaseNode]:
    dataset = config.dataset.model_dump_json()
    retrieval_config = config.retrieval.model_dump_json()
    ranking_config = config.ranking.model_dump_json()
    inputs = {
        "timelines": data["interactions_transform"].outputs["transformed_examples"],
        "timelines_graph": data["interactions_transform"].outputs["transform_graph"],
        "items": data["items_transform"].outputs["transformed_examples"],
        "items_graph": data["items_transform"].outputs["transform_graph"],
        "dataset": dataset,
    }
    retrieval = RetrievalTrainer(
        **inputs,
        config=retrieval_config,
        seed=config.seed,
        tensorboard=f"{at.tensorboard}/retrieval",
    )
    stage = {"query": retrieval.outputs["model"], "candidates": retrieval.outputs["candidates"]}
    index = Indexer(candidates=stage["candidates"], config=config.index.model_dump_json())
    ranking = RankingTrainer(
        **inputs,
        **stage,
        retrieval_config=retrieval_config,
        config=ranking_config,
        seed=config.seed,
        tensorboard=f"{at.tensorboard}/ranking",
    )
    evaluator = Evaluator(
        **inputs,
        **stage,
        ranking=ranking.outputs["model"],
        retrieval_config=retrieval_config,
        ranking_config=ranking_config,
        config=config.evaluation.model_dump_json(),
    )
    recommender = Recommender(
        **stage,
        index=index.outputs["index"],
        ranking=ranking.outputs["model"],
        ranking_config=ranking_config,
    )
    infra = InfraCheck(servables=recommender.outputs["servables"])
    pusher = Pusher(
        servables=recommender.outputs["servables"],
        verdict=evaluator.outputs["verdict"],
        infra_verdict=infra.outputs["infra_verdict"],
        serving_dir=at.serving,
    )
    return {
        "retrieval": retrieval,
        "index": index,
        "ranking": ranking,
        "evaluator": evaluator,
        "recommender": recommender,
        "infra": infra,
        "pusher": pusher,
    }
