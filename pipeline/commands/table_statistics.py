"""Ingests some data and describes them with statistics, as a run would, without running one."""

import dataclasses
from typing import NamedTuple

from rich.console import Console
from tfx.types import artifact_utils

from components.ingest import preflight
from components.validation import split_statistics
from components.validation.drift import Statistics
from pipeline import dag
from pipeline.config.config import Config
from pipeline.console import StageLines
from pipeline.metadata import RunMetadata, build_connection_config
from pipeline.run_root import RunRoot
from pipeline.runner import LocalRunner, build_run_locations


class TableStatistics(NamedTuple):
    """One table."""

    examples_uri: str
    statistics: dict[str, Statistics]
    """By split."""


def compute_table_statistics(
    config: Config, data: str, at: RunRoot, rejected: str, console: Console
) -> dict[str, TableStatistics]:
    """Tables by name. What ingestion does not accept goes to `rejected`; raises as a run does."""
    places = dataclasses.replace(build_run_locations(data, at), rejected=rejected)
    fingerprint = preflight.fingerprint(config.dataset, data)
    connection = build_connection_config(str(at.metadata))
    pipeline = dag.build_statistics_pipeline(config, places, fingerprint, connection)
    lines = StageLines(console)
    try:
        LocalRunner(lines.start_stage, lambda name, took: lines.finish_stage(took, False)).run(
            pipeline
        )
    finally:
        lines.stop()
    metadata = RunMetadata(at.metadata, config.name)
    return {
        "interactions": _load_table_statistics(
            metadata, "InteractionsGen", "StatisticsGen.interactions"
        ),
        "items": _load_table_statistics(metadata, "ItemsGen", "StatisticsGen.items"),
    }


def _load_table_statistics(metadata: RunMetadata, source: str, statistics: str) -> TableStatistics:
    ingested, counted = metadata.latest(source), metadata.latest(statistics)
    assert ingested is not None, f"{source} has finished"
    assert counted is not None, f"{statistics} has finished"
    artifact = counted.outputs["statistics"]
    splits = artifact_utils.decode_split_names(artifact.split_names)
    by_split = {split: split_statistics.load(artifact.uri, split) for split in splits}
    return TableStatistics(ingested.outputs["examples"].uri, by_split)
