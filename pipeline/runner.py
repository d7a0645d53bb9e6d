"""Runs the DAG on this machine, one node after the other, and records each as a stage."""

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

from components.ingest import preflight
from pipeline import dag
from pipeline.config.config import Config
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
    """What a run of a DAG leaves behind."""

    metadata: LatestRuns
    stages: list[dict[str, Any]]
    """Finished ones in order: name, seconds, cached."""
    not_blessed: NotBlessed | None
    """Why nothing was pushed, where the models were refused; all else has ended well."""
    evaluations: int
    """How often models were evaluated at this root, and not taken from the cache."""


def run_pipeline(
    config: Config,
    data: str,
    at: RunRoot,
    lines: StageLines,
    force_push: str | None,
    ask_oldest: bool = False,
) -> RunResult:
    """Runs the whole DAG; `force_push` is the reason to push models that are not blessed. With
    `ask_oldest` the evaluator asks the oldest pushed version as well.
    """
    fingerprint = preflight.fingerprint(config.dataset, data)
    connection = build_connection_config(str(at.metadata))
    before = find_previous_statistics(connection, config.name, fingerprint)
    places = build_run_locations(data, at)
    intent = plan_local_push(config, fingerprint, places.serving, force_push, ask_oldest)
    pipeline = dag.build_pipeline(config, places, fingerprint, connection, before, intent)
    return execute_pipeline(pipeline, config.name, at, lines)


def execute_pipeline(
    pipeline: tfx.dsl.Pipeline, name: str, at: RunRoot, lines: StageLines
) -> RunResult:
    """Runs the pipeline of that name. A failure is raised as it came, but for a refused push: it is
    the last node, and what came before it is worth a summary. (An index below its target is refused
    before anything is evaluated.)
    """
    metadata = RunMetadata(at.metadata, name)
    stages: list[dict[str, Any]] = []

    def finished(stage: str, seconds: float) -> None:
        latest = metadata.latest(stage)
        cached = latest is not None and latest.cached
        lines.finished(seconds, cached)
        stages.append({"name": stage, "seconds": round(seconds, 2), "cached": cached})

    refused = None
    try:
        LocalRunner(lines.started, finished).run(pipeline)
    except NotBlessed as error:
        if len(stages) < len(pipeline.components) - 1:
            raise
        refused = error
    return RunResult(metadata, stages, refused, metadata.executed("Evaluator"))


def build_run_locations(data: str, at: RunRoot) -> dag.RunLocations:
    """Where a run on this machine reads and writes."""
    return dag.RunLocations.below(str(at.place), data)


class LocalRunner(tfx_runner.IrBasedRunner):
    """As `tfx.orchestration.local.LocalDagRunner`, which offers no place to listen."""

    def __init__(self, started: Callable[[str], None], finished: Callable[[str, float], None]):
        """`started(node)` before each node, `finished(node, seconds)` after it."""
        self._started = started
        self._finished = finished

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> None:
        """Runs the compiled pipeline; the first failure ends it and is raised as it came."""
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline,
            {constants.PIPELINE_RUN_ID_PARAMETER_NAME: datetime.datetime.now().isoformat()},
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        for node in pipeline.nodes:
            name = node.pipeline_node.node_info.id
            self._started(name)
            begin = time.perf_counter()
            self.launch(name, _build_launcher(pipeline, node.pipeline_node, deployment).launch)
            self._finished(name, time.perf_counter() - begin)

    def launch(self, name: str, node: Callable[[], object]) -> None:
        """Runs the node of that name; `benchmarks.memory` does it in a process of its own."""
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
