"""The DAG, which is the same for every runner: data stages, training, evaluation, push."""

from collections.abc import Mapping
from typing import Any

from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode

from components.evaluator import Evaluator
from components.indexer import Indexer
from components.infra_check import InfraCheck
from components.pusher import Pusher
from components.ranking_analysis import RankingAnalysis
from components.ranking_trainer import RankingTrainer
from components.recommender import Recommender
from components.retrieval_trainer import RetrievalTrainer
from components.retrieval_tuner import RetrievalTuner
from pipeline.config.config import TABLES, Config
from pipeline.config.run_parameters import RunLocations, RunParameters
from pipeline.data_nodes import build_data_nodes, build_table_nodes
from pipeline.push_plan import PushPlan, plan_remote_push
from serving.index.eligibility import read_deny_list

_LIST_ORDER = {"diversity", "calibration"}
"""Keys of `recommend` that no training depends on."""


def build_pipeline(
    config: Config,
    locations: RunLocations,
    fingerprint: str,
    metadata: "tfx.orchestration.metadata.ConnectionConfigType | None" = None,
    previous_statistics: Mapping[str, str] | None = None,
    push: PushPlan | None = None,
) -> tfx.dsl.Pipeline:
    """The whole pipeline. Each component receives only the part of the configuration that it
    depends on, so that a change elsewhere leaves it cached.

    Args:
        config: The pipeline's configuration.
        locations: Where the run reads and writes.
        fingerprint: Hash of the input files' content, which is a cache key of ingestion.
        metadata: Connection to ML Metadata; None if the runner has its own.
        previous_statistics: URIs of the previous data's statistics by table, see
            `pipeline.metadata`; without them the data gate does not check for drift.
        push: Which versions the models are compared with, and who pushes them; None compares them
            with the version that is the newest at the time of evaluation.
    """
    nodes = build_nodes(config, locations, fingerprint, previous_statistics, push)
    return assemble_pipeline(config, locations, nodes, metadata)


def build_nodes(
    config: Config,
    locations: RunLocations,
    fingerprint: str,
    previous_statistics: Mapping[str, str] | None = None,
    push: PushPlan | None = None,
    parameters: RunParameters | None = None,
) -> dict[str, BaseNode]:
    """Nodes of the whole DAG by their role, such as `retrieval` or `evaluator`.

    Args:
        config: As in `build_pipeline`, like the next four.
        locations: Where the run reads and writes.
        fingerprint: Hash of the input files' content.
        previous_statistics: URIs by table.
        push: Which versions the models are compared with, and who pushes them.
        parameters: The run's parameters; None for those of the configuration.
    """
    parameters = parameters or RunParameters.build(config)
    previous_statistics = previous_statistics or dict.fromkeys(TABLES, "")
    data = build_data_nodes(config, locations, fingerprint, previous_statistics, parameters)
    return data | _build_model_nodes(
        config, locations, data, push or plan_remote_push(config), parameters
    )


def build_statistics_pipeline(
    config: Config,
    locations: RunLocations,
    fingerprint: str,
    metadata: "tfx.orchestration.metadata.ConnectionConfigType",
) -> tfx.dsl.Pipeline:
    """Only ingestion and statistics, with the same cache keys as in `build_pipeline`.

    Args:
        config: The pipeline's configuration.
        locations: Where the run reads and writes.
        fingerprint: Hash of the input files' content.
        metadata: Connection to ML Metadata.
    """
    tables = build_table_nodes(config, locations, fingerprint, RunParameters.build(config))
    return assemble_pipeline(config, locations, tables, metadata)


def build_tuning_pipeline(
    config: Config,
    locations: RunLocations,
    fingerprint: str,
    metadata: "tfx.orchestration.metadata.ConnectionConfigType",
    previous_statistics: Mapping[str, str],
    records: str,
) -> tfx.dsl.Pipeline:
    """The data stages of `build_pipeline`, followed by the search for hyper-parameters.

    Args:
        config: The pipeline's configuration.
        locations: Where the run reads and writes.
        fingerprint: Hash of the input files' content.
        metadata: Connection to ML Metadata.
        previous_statistics: URIs of the previous data's statistics by table, "" for none.
        records: Folder of measured trials, from which an interrupted search resumes.
    """
    data = build_data_nodes(
        config, locations, fingerprint, previous_statistics, RunParameters.build(config)
    )
    settings = {
        "config": config.retrieval.model_dump_json(),
        "hardware": config.trainer.model_dump_json(),
        "tune": config.tune.model_dump_json(),
        "seed": config.seed,
        "records": records,
        "checkpoints": f"{locations.checkpoints}/tuning",
        "tensorboard": f"{locations.tensorboard}/tuning",
    }
    tuner = RetrievalTuner(**_collect_training_inputs(config, data), settings=settings)
    return assemble_pipeline(config, locations, data | {"tuner": tuner}, metadata)


def assemble_pipeline(
    config: Config,
    locations: RunLocations,
    nodes: Mapping[str, BaseNode],
    metadata: "tfx.orchestration.metadata.ConnectionConfigType | None" = None,
) -> tfx.dsl.Pipeline:
    """A pipeline that consists of `nodes`.

    Args:
        config: Supplies the name and Beam's arguments.
        locations: `locations.artifacts` becomes the pipeline's root.
        nodes: Components by role.
        metadata: Connection to ML Metadata; None if the runner has its own.
    """
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=locations.artifacts,
        components=list(nodes.values()),
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=config.beam.pipeline_args,
    )


def _collect_training_inputs(config: Config, data: Mapping[str, BaseNode]) -> dict[str, Any]:
    """The inputs of every component that trains or evaluates. A change of diversity or calibration,
    which only the Evaluator reads, leaves the others cached.
    """
    return {
        "timelines": data["interactions_transform"].outputs["transformed_examples"],
        "timelines_graph": data["interactions_transform"].outputs["transform_graph"],
        "items": data["items_transform"].outputs["transformed_examples"],
        "items_graph": data["items_transform"].outputs["transform_graph"],
        "dataset": config.dataset.model_dump_json(exclude={"recommend": _LIST_ORDER}),
    }


def _build_model_nodes(
    config: Config,
    locations: RunLocations,
    data: dict[str, BaseNode],
    push: PushPlan,
    parameters: RunParameters,
) -> dict[str, BaseNode]:
    retrieval_config = config.retrieval.model_dump_json()
    ranking_config = config.ranking.model_dump_json()
    inputs = _collect_training_inputs(config, data)
    retrieval = RetrievalTrainer(
        **inputs,
        config=config.retrieval.model_dump_json(exclude={"epochs"}),
        epochs=parameters.retrieval_epochs,
        seed=config.seed,
        hardware=config.trainer.model_dump_json(),
        tensorboard=f"{locations.tensorboard}/retrieval",
        checkpoints=f"{locations.checkpoints}/retrieval",
        serving_dir=locations.serving,
        pushed=push.baseline_version if config.retrieval.warm_start else "",
    )
    stage = {"query": retrieval.outputs["model"], "candidates": retrieval.outputs["candidates"]}
    index = Indexer(
        candidates=stage["candidates"],
        config=config.index.for_repeats(config.recommend.repeats).model_dump_json(
            exclude={"deny_list"}
        ),
        denied=read_deny_list(config.index.deny_list),
    )
    ranking = RankingTrainer(
        **inputs,
        query=retrieval.outputs["held_out_model"],
        candidates=retrieval.outputs["held_out_candidates"],
        served_candidates=retrieval.outputs["candidates"],
        retrieval_config=retrieval_config,
        config=config.ranking.model_dump_json(exclude={"epochs"}),
        epochs=parameters.ranking_epochs,
        seed=config.seed,
        hardware=config.trainer.model_dump_json(),
        tensorboard=f"{locations.tensorboard}/ranking",
        checkpoints=f"{locations.checkpoints}/ranking",
    )
    analysis = RankingAnalysis(
        **inputs,
        **stage,
        ranking=ranking.outputs["model"],
        retrieval_config=retrieval_config,
        ranking_config=ranking_config,
    )
    evaluator = Evaluator(
        **inputs | {"dataset": config.dataset.model_dump_json()},
        **stage,
        ranking=ranking.outputs["model"],
        retrieval_config=retrieval_config,
        histories=data["interactions"].outputs["histories"],
        ranking_config=ranking_config,
        config=config.evaluation.model_dump_json(),
        blessing_config=config.blessing.model_dump_json(exclude={"thresholds"}),
        thresholds=parameters.thresholds,
        serving_dir=locations.serving,
        pushed=push.baseline_version,
        baseline=push.comparison_version,
    )
    recommender = Recommender(
        **stage,
        index=index.outputs["index"],
        ranking=ranking.outputs["model"],
        ranking_config=ranking_config,
        recommend=config.recommend.model_dump_json(),
    )
    infra = InfraCheck(
        servables=recommender.outputs["servables"],
        candidates=stage["candidates"],
        recommend=config.recommend.model_dump_json(),
    )
    pusher = Pusher(
        servables=recommender.outputs["servables"],
        candidates=stage["candidates"],
        evaluation_result=evaluator.outputs["evaluation_result"],
        verdict=evaluator.outputs["verdict"],
        infra_verdict=infra.outputs["infra_verdict"],
        serving_dir=locations.serving,
        run=push.run_identity.model_dump_json(),
        forced=push.override,
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
