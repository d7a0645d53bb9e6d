"""Runs the DAG's nodes and keeps what each of them took."""

from tfx import v1 as tfx

from components.ingest import preflight
from pipeline import dag, previous_data
from pipeline.config import Config
from pipeline.local_runner import LocalRunner
from pipeline.run_directory import RunDirectory
from pipeline.run_metadata import RunMetadata
from pipeline.stage_lines import StageLines


def run_stages(
    config: Config, data: str, at: RunDirectory, lines: StageLines
) -> tuple[RunMetadata, list[dict[str, object]]]:
    """Stages in order: name, seconds, cached."""
    fingerprint = preflight.fingerprint(config.dataset, data)
    connection = previous_data.local(str(at.metadata))
    before = previous_data.statistics(connection, config.name, fingerprint)
    pipeline = dag.build(config, locations(data, at), fingerprint, connection, before)
    return execute(pipeline, config.name, at, lines)


def execute(
    pipeline: tfx.dsl.Pipeline, name: str, at: RunDirectory, lines: StageLines
) -> tuple[RunMetadata, list[dict[str, object]]]:
    """Runs the pipeline of that name; stages as `run_stages` has them."""
    metadata = RunMetadata(at.metadata, name)
    stages: list[dict[str, object]] = []

    def finished(stage: str, seconds: float) -> None:
        latest = metadata.latest(stage)
        cached = latest is not None and latest.cached
        lines.finished(seconds, cached)
        stages.append({"name": stage, "seconds": round(seconds, 2), "cached": cached})

    LocalRunner(lines.started, finished).run(pipeline)
    return metadata, stages


def locations(data: str, at: RunDirectory) -> dag.Locations:
    """Where a run on this machine reads and writes."""
    return dag.Locations(
        data=data,
        artifacts=str(at.artifacts),
        serving=str(at.serving),
        tensorboard=str(at.tensorboard),
        rejected=str(at.rejected),
        statistics=str(at.statistics),
        checkpoints=str(at.checkpoints),
    )
