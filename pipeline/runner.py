"""Runs the DAG's nodes and keeps what each of them took."""

import dataclasses
from typing import Any

from tfx import v1 as tfx

from components.ingest import preflight
from pipeline import dag, previous_data, push_plan
from pipeline.config.config import Config
from pipeline.console import StageLines
from pipeline.local_runner import LocalRunner
from pipeline.metadata import LatestRuns, RunMetadata
from pipeline.run_root import RunDirectory
from schema.errors import NotBlessed


@dataclasses.dataclass(frozen=True)
class Executed:
    """What a run of a DAG leaves behind."""

    metadata: LatestRuns
    stages: list[dict[str, Any]]
    """Finished ones in order: name, seconds, cached."""
    not_blessed: NotBlessed | None
    """Why nothing was pushed, where the models were refused; all else has ended well."""
    evaluations: int
    """How often models were evaluated at this root, and not taken from the cache."""


def run_stages(
    config: Config,
    data: str,
    at: RunDirectory,
    lines: StageLines,
    force_push: str | None,
    ask_oldest: bool = False,
) -> Executed:
    """Runs the whole DAG; `force_push` is the reason to push models that are not blessed. With
    `ask_oldest` the evaluator asks the oldest pushed version as well.
    """
    fingerprint = preflight.fingerprint(config.dataset, data)
    connection = previous_data.local(str(at.metadata))
    before = previous_data.statistics(connection, config.name, fingerprint)
    places = locations(data, at)
    intent = push_plan.local(config, fingerprint, places.serving, force_push, ask_oldest)
    pipeline = dag.build(config, places, fingerprint, connection, before, intent)
    return execute(pipeline, config.name, at, lines)


def execute(pipeline: tfx.dsl.Pipeline, name: str, at: RunDirectory, lines: StageLines) -> Executed:
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
    return Executed(metadata, stages, refused, metadata.executed("Evaluator"))


def locations(data: str, at: RunDirectory) -> dag.Locations:
    """Where a run on this machine reads and writes."""
    return dag.Locations.below(str(at.place), data)
