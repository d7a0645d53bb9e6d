"""Runs the DAG on this machine and records each node as a stage."""

import dataclasses
from typing import Any

from tfx import v1 as tfx

from components.ingest.fingerprint import compute_input_fingerprint, measure_input
from pipeline import dag
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunLocations
from pipeline.console import StageLines
from pipeline.execution.capacity import count_parallel_stages
from pipeline.execution.locked_metadata import lock_metadata
from pipeline.execution.parallel import ParallelRunner
from pipeline.execution.sequential import SequentialRunner
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
    # Stages of one process share the local copies of what they read from an object store.
    limit = 1 if run_root.uri else count_parallel_stages(measure_input(config.dataset, data))
    return execute_pipeline(pipeline, config.name, run_root, stage_lines, limit)


def execute_pipeline(
    pipeline: tfx.dsl.Pipeline,
    name: str,
    run_root: RunRoot,
    stage_lines: StageLines,
    limit: int = 1,
) -> RunResult:
    """Runs the pipeline and raises the first failure unchanged.

    A refused push is the exception: the Pusher is the last node, and the stages before it are worth
    a summary, so the refusal is returned. NotBlessed from an earlier node, such as an index below
    its target, is raised. At a root on an object store, the metadata of each executed stage are
    stored when it ends; ConcurrentRun is raised as in `pipeline.remote_root`.

    Args:
        pipeline: The DAG.
        name: Name of the pipeline in ML Metadata.
        run_root: Root of the run.
        stage_lines: Receives the progress of the stages.
        limit: Number of stages that may run at once, each in its own process; with 1 they run in
            this process.
    """
    metadata = RunMetadata(run_root.metadata, name)
    stages: list[dict[str, Any]] = []

    def start_stage(stage: str) -> None:
        if run_root.remote is not None:
            run_root.remote.require_own()
        stage_lines.start_stage(stage)

    def record_stage(stage: str, seconds: float) -> None:
        with lock_metadata(run_root.metadata):
            latest = metadata.find_latest_run(stage)
            cached = latest is not None and latest.cached
            if run_root.remote is not None and not cached:
                run_root.remote.store_stage()
        stage_lines.finish_stage(stage, seconds, cached)
        stages.append({"name": stage, "seconds": round(seconds, 2), "cached": cached})

    not_blessed = None
    try:
        if limit == 1:
            SequentialRunner(start_stage, record_stage).run(pipeline)
        else:
            ParallelRunner(limit, run_root.log, start_stage, record_stage).run(pipeline)
    except NotBlessed as error:
        if len(stages) < len(pipeline.components) - 1:
            raise
        not_blessed = error
    return RunResult(metadata, stages, not_blessed, metadata.count_executions("Evaluator"))


def build_run_locations(data: str, run_root: RunRoot) -> RunLocations:
    """Where a run on this machine reads and writes."""
    locations = RunLocations.build(run_root.location, data)
    if run_root.remote is None:
        return locations
    return dataclasses.replace(locations, artifacts=run_root.remote.artifacts)
