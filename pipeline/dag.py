"""The DAG: one function, for every runner."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from google.protobuf import text_format
from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode
from tfx.proto import transform_pb2
from tfx.types import Channel

from components.data_gate import DataGate
from components.evaluator import Evaluator
from components.indexer import Indexer
from components.infra_check import InfraCheck
from components.interactions_gen import InteractionsGen
from components.items_gen import ItemsGen
from components.pusher import Pusher
from components.ranking_analysis import RankingAnalysis
from components.ranking_trainer import RankingTrainer
from components.recommender import Recommender
from components.retrieval_trainer import RetrievalTrainer
from components.retrieval_tuner import RetrievalTuner
from components.schema_gen import SchemaGen
from components.statistics_gen import StatisticsGen
from components.stock_components import ExampleValidator, Transform
from pipeline.config.config import TABLES, Config
from pipeline.config.run_parameters import RunParameters, Text
from pipeline.config.table_schemas import build_table_schema
from pipeline.push_plan import PushPlan
from schema import timeline
from serving import deny_list


@dataclasses.dataclass(frozen=True)
class RunLocations:
    """Where a run reads and writes; paths or URIs."""

    data: Text
    artifacts: str
    serving: str
    tensorboard: str
    rejected: str
    statistics: str
    checkpoints: str

    @classmethod
    def below(cls, root: str, data: Text) -> "RunLocations":
        """What a run writes, below one root."""
        return cls(
            data=data,
            artifacts=f"{root}/artifacts",
            serving=f"{root}/serving",
            tensorboard=f"{root}/tensorboard",
            rejected=f"{root}/rejected",
            statistics=f"{root}/statistics",
            checkpoints=f"{root}/checkpoints",
        )


def build_pipeline(
    config: Config,
    at: RunLocations,
    fingerprint: str,
    metadata: "tfx.orchestration.metadata.ConnectionConfigType | None" = None,
    before: Mapping[str, str] | None = None,
    push: PushPlan | None = None,
    given: RunParameters | None = None,
) -> tfx.dsl.Pipeline:
    """`fingerprint` stands for the content of the input files, so that caching sees changed data.
    `before` are the URIs of the previous data's statistics by table (`pipeline.metadata`);
    without them the gate checks no drift. Without `push` the models are compared with the version
    that is the newest when they are evaluated. `given` is as configured where it is absent.

    Each component is given only the part of the configuration that it depends on: what a change
    does not touch stays cached.
    """
    found = build_nodes(config, at, fingerprint, before, push, given)
    return assemble_pipeline(config, at, found, metadata)


def build_nodes(
    config: Config,
    at: RunLocations,
    fingerprint: str,
    before: Mapping[str, str] | None = None,
    push: PushPlan | None = None,
    given: RunParameters | None = None,
) -> dict[str, BaseNode]:
    """Of the whole DAG, by what they do; arguments as in `build`."""
    given = given or RunParameters.of(config)
    before = before or dict.fromkeys(TABLES, "")
    data = _build_data_nodes(config, at, fingerprint, before, given)
    return data | _build_model_nodes(config, at, data, push or PushPlan.anywhere(config), given)


def build_statistics_pipeline(
    config: Config,
    at: RunLocations,
    fingerprint: str,
    metadata: "tfx.orchestration.metadata.ConnectionConfigType",
) -> tfx.dsl.Pipeline:
    """Ingestion and statistics alone, as `build` has them."""
    tables = _build_table_nodes(config, at, fingerprint, RunParameters.of(config))
    return assemble_pipeline(config, at, tables, metadata)


def build_tuning_pipeline(
    config: Config,
    at: RunLocations,
    fingerprint: str,
    metadata: "tfx.orchestration.metadata.ConnectionConfigType",
    before: Mapping[str, str],
    records: str,
) -> tfx.dsl.Pipeline:
    """The data stages as `build` has them, then the search; `records` is the folder that an
    interrupted search goes on from.
    """
    data = _build_data_nodes(config, at, fingerprint, before, RunParameters.of(config))
    settings = {
        "config": config.retrieval.model_dump_json(),
        "hardware": config.trainer.model_dump_json(),
        "tune": config.tune.model_dump_json(),
        "seed": config.seed,
        "records": records,
        "checkpoints": f"{at.checkpoints}/tuning",
        "tensorboard": f"{at.tensorboard}/tuning",
    }
    tuner = RetrievalTuner(**_collect_training_inputs(config, data), settings=settings)
    return assemble_pipeline(config, at, data | {"tuner": tuner}, metadata)


def assemble_pipeline(
    config: Config,
    at: RunLocations,
    nodes: Mapping[str, BaseNode],
    metadata: "tfx.orchestration.metadata.ConnectionConfigType | None" = None,
) -> tfx.dsl.Pipeline:
    """A pipeline of these nodes."""
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=at.artifacts,
        components=list(nodes.values()),
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=config.beam.pipeline_args,
    )


def _build_table_nodes(
    config: Config, at: RunLocations, fingerprint: str, given: RunParameters
) -> dict[str, BaseNode]:
    source = {
        "dataset": config.dataset.model_dump_json(),
        "data_dir": at.data,
        "span": given.span,
        "rejected_dir": at.rejected,
        "fingerprint": fingerprint,
    }
    nodes: dict[str, BaseNode] = {
        "items": ItemsGen(**source),
        "interactions": InteractionsGen(**source),
    }
    for table in TABLES:
        examples = nodes[table].outputs["examples"]
        statistics = StatisticsGen(examples=examples)
        nodes[f"{table}_statistics"] = statistics.with_id(f"StatisticsGen.{table}")
    return nodes


def _build_data_nodes(
    config: Config,
    at: RunLocations,
    fingerprint: str,
    before: Mapping[str, str],
    given: RunParameters,
) -> dict[str, BaseNode]:
    dataset = config.dataset.model_dump_json()
    nodes = _build_table_nodes(config, at, fingerprint, given)
    for table in TABLES:
        nodes |= _build_validation_nodes(table, nodes[f"{table}_statistics"], config)
    gate = DataGate(
        **_collect_gate_inputs(nodes),
        **{f"{table}_before": before[table] for table in TABLES},
        fingerprint=fingerprint,
        pages=at.statistics,
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
    """What the gate reads of each table."""
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
    """Vocabularies and statistics come from the first split alone: train, or the whole
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


def _collect_training_inputs(config: Config, data: Mapping[str, BaseNode]) -> dict[str, Any]:
    """What every component that trains or measures reads."""
    return {
        "timelines": data["interactions_transform"].outputs["transformed_examples"],
        "timelines_graph": data["interactions_transform"].outputs["transform_graph"],
        "items": data["items_transform"].outputs["transformed_examples"],
        "items_graph": data["items_transform"].outputs["transform_graph"],
        "dataset": config.dataset.model_dump_json(),
    }


def _build_model_nodes(
    config: Config,
    at: RunLocations,
    data: dict[str, BaseNode],
    push: PushPlan,
    given: RunParameters,
) -> dict[str, BaseNode]:
    retrieval_config = config.retrieval.model_dump_json()
    ranking_config = config.ranking.model_dump_json()
    inputs = _collect_training_inputs(config, data)
    retrieval = RetrievalTrainer(
        **inputs,
        config=config.retrieval.model_dump_json(exclude={"epochs"}),
        epochs=given.retrieval_epochs,
        seed=config.seed,
        hardware=config.trainer.model_dump_json(),
        tensorboard=f"{at.tensorboard}/retrieval",
        checkpoints=f"{at.checkpoints}/retrieval",
        serving_dir=at.serving,
        pushed=push.compared_with if config.retrieval.warm_start else "",
    )
    stage = {"query": retrieval.outputs["model"], "candidates": retrieval.outputs["candidates"]}
    index = Indexer(
        candidates=stage["candidates"],
        config=config.index.model_dump_json(exclude={"deny_list"}),
        denied=deny_list.read(config.index.deny_list),
    )
    ranking = RankingTrainer(
        **inputs,
        query=retrieval.outputs["held_out_model"],
        candidates=retrieval.outputs["held_out_candidates"],
        served_candidates=retrieval.outputs["candidates"],
        retrieval_config=retrieval_config,
        config=config.ranking.model_dump_json(exclude={"epochs"}),
        epochs=given.ranking_epochs,
        seed=config.seed,
        hardware=config.trainer.model_dump_json(),
        tensorboard=f"{at.tensorboard}/ranking",
        checkpoints=f"{at.checkpoints}/ranking",
    )
    analysis = RankingAnalysis(
        **inputs,
        **stage,
        ranking=ranking.outputs["model"],
        retrieval_config=retrieval_config,
        ranking_config=ranking_config,
    )
    evaluator = Evaluator(
        **inputs,
        **stage,
        ranking=ranking.outputs["model"],
        retrieval_config=retrieval_config,
        histories=data["interactions"].outputs["histories"],
        ranking_config=ranking_config,
        config=config.evaluation.model_dump_json(),
        blessing_config=config.blessing.model_dump_json(exclude={"thresholds"}),
        thresholds=given.thresholds,
        serving_dir=at.serving,
        pushed=push.compared_with,
        beside=push.beside,
    )
    recommender = Recommender(
        **stage,
        index=index.outputs["index"],
        ranking=ranking.outputs["model"],
        ranking_config=ranking_config,
    )
    infra = InfraCheck(servables=recommender.outputs["servables"], candidates=stage["candidates"])
    pusher = Pusher(
        servables=recommender.outputs["servables"],
        candidates=stage["candidates"],
        evaluation_result=evaluator.outputs["evaluation_result"],
        verdict=evaluator.outputs["verdict"],
        infra_verdict=infra.outputs["infra_verdict"],
        serving_dir=at.serving,
        run=push.made_by.model_dump_json(),
        forced=push.forced,
        refusal_fails=int(push.refusal_fails),
    )
    return {
        "retrieval": retrieval,
        "index": index,
        "ranking": ranking,
        "analysis": analysis,
        "evaluator": evaluator,
        "recommender": recommender,
        "infra": infra,
        "pusher": pusher,
    }
