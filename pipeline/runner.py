"""Runs the DAG on this machine, one node after another, and records each as a stage."""

import dataclasses
import datetime
import time
from collections.abc import Callable
from typing import Any

from tfx import v1 as tfx
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils, tfx_runner
from tfx.proto.orchestration import pipeline_pb2

from components.ingest.fingerprint import compute_input_fingerprint
from pipeline import dag
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunLocations
from pipeline.console import StageLines
from pipeline.metadata import (
    LatestRuns,
    RunMetadata,
    build_connection_config,
    find_previous_statistics,
)
from pipeline.push_plan import plan_local_push
from pipeline.run_root import RunRoot
from schema.errors import NotBlessed


@dataclasses.dataclass(frozen=True)
class RunResult:
    """Outcome of a run."""

    metadata: LatestRuns
    stages: list[dict[str, Any]]
    """Finished stages in order: name, seconds, cached."""
    not_blessed: NotBlessed | None
    """Why the models were not pushed, if they were not; all other stages have succeeded."""
    evaluations: int
    """Number of evaluations that were executed at this root, without cached ones."""


def run_pipeline(
    config: Config,
    data: str,
    run_root: RunRoot,
    stage_lines: StageLines,
    force_push: str | None,
    evaluate_oldest: bool = False,
) -> RunResult:
    """Runs the whole DAG.

    Args:
        config: The pipeline's configuration.
        data: Folder or URL of the input.
        run_root: Root of the run.
        stage_lines: Receives the progress of the stages.
        force_push: Reason to push models that are not blessed; None to push only blessed ones.
        evaluate_oldest: Also evaluate the oldest pushed version.
    """
    fingerprint = compute_input_fingerprint(config.dataset, data)
    connection = build_connection_config(str(run_root.metadata))
    previous_statistics = find_previous_statistics(connection, config.name, fingerprint)
    locations = build_run_locations(data, run_root)
    push_plan = plan_local_push(config, fingerprint, locations.serving, force_push, evaluate_oldest)
    pipeline = dag.build_pipeline(
        config, locations, fingerprint, connection, previous_statistics, push_plan
    )
    return execute_pipeline(pipeline, config.name, run_root, stage_lines)


def execute_pipeline(
    pipeline: tfx.dsl.Pipeline, name: str, run_root: RunRoot, stage_lines: StageLines
) -> RunResult:
    """Runs the pipeline and raises the first failure unchanged.

    A refused push is the exception: the Pusher is the last node, and the stages before it are worth
    a summary, so the refusal is returned. NotBlessed from an earlier node, such as an index below
    its target, is raised.

    Args:
        pipeline: The DAG.
        name: Name of the pipeline in ML Metadata.
        run_root: Root of the run.
        stage_lines: Receives the progress of the stages.
    """
    metadata = RunMetadata(run_root.metadata, name)
    stages: list[dict[str, Any]] = []

    def record_stage(stage: str, seconds: float) -> None:
        latest = metadata.find_latest_run(stage)
        cached = latest is not None and latest.cached
        stage_lines.finish_stage(seconds, cached)
        stages.append({"name": stage, "seconds": round(seconds, 2), "cached": cached})

    not_blessed = None
    try:
        LocalRunner(stage_lines.start_stage, record_stage).run(pipeline)
    except NotBlessed as error:
        if len(stages) < len(pipeline.components) - 1:
            raise
        not_blessed = error
    return RunResult(metadata, stages, not_blessed, metadata.count_executions("Evaluator"))


def build_run_locations(data: str, run_root: RunRoot) -> RunLocations:
    """Where a run on this machine reads and writes."""
    return RunLocations.build(run_root.location, data)


class LocalRunner(tfx_runner.IrBasedRunner):
    """Like `tfx.orchestration.local.LocalDagRunner`, with callbacks around each node."""

    def __init__(self, on_start: Callable[[str], None], on_finish: Callable[[str, float], None]):
        """Calls `on_start(node)` before each node and `on_finish(node, seconds)` after it."""
        self._on_start = on_start
        self._on_finish = on_finish

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> None:
        """Runs the compiled pipeline; the first failure ends it and is raised unchanged."""
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline,
            {constants.PIPELINE_RUN_ID_PARAMETER_NAME: datetime.datetime.now().isoformat()},
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        for node in pipeline.nodes:
            name = node.pipeline_node.node_info.id
            self._on_start(name)
            start = time.perf_counter()
            self.launch(name, _build_launcher(pipeline, node.pipeline_node, deployment).launch)
            self._on_finish(name, time.perf_counter() - start)

    def launch(self, name: str, node: Callable[[], object]) -> None:
        """Runs `node`; `benchmarks.memory` overrides this to run each node in its own process."""
        node()


def _build_launcher(
    pipeline: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
    deployment: pipeline_pb2.IntermediateDeploymentConfig,
) -> launcher.Launcher:
    name = node.node_info.id
    connection = deployment.metadata_connection_config
    return launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=metadata.Metadata(
            getattr(connection, connection.WhichOneof("connection_config"))
        ),
        pipeline_info=pipeline.pipeline_info,
        pipeline_runtime_spec=pipeline.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, name),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
    )
