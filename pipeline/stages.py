"""Runs the DAG's nodes and keeps what each of them took."""

from tfx.orchestration import metadata as tfx_metadata

from components.ingest import preflight
from pipeline import dag
from pipeline.config import Config
from pipeline.local_runner import LocalRunner
from pipeline.run_directory import RunDirectory
from pipeline.run_metadata import RunMetadata
from pipeline.stage_lines import StageLines


def run_stages(
    config: Config, data: str, at: RunDirectory, lines: StageLines
) -> tuple[RunMetadata, list[dict[str, object]]]:
    """Stages in order: name, seconds, cached."""
    locations = dag.Locations(
        data=data,
        artifacts=str(at.artifacts),
        serving=str(at.serving),
        tensorboard=str(at.tensorboard),
        rejected=str(at.rejected),
    )
    pipeline = dag.build(
        config,
        locations,
        preflight.fingerprint(config.dataset, data),
        tfx_metadata.sqlite_metadata_connection_config(str(at.metadata)),
    )
    metadata = RunMetadata(at.metadata, config.name)
    stages: list[dict[str, object]] = []

    def finished(name: str, seconds: float) -> None:
        latest = metadata.latest(name)
        cached = latest is not None and latest.cached
        lines.finished(seconds, cached)
        stages.append({"name": name, "seconds": round(seconds, 2), "cached": cached})

    LocalRunner(lines.started, finished).run(pipeline)
    return metadata, stages
