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


class Described(NamedTuple):
    """One table."""

    examples_uri: str
    statistics: dict[str, Statistics]
    """By split."""


def describe(
    config: Config, data: str, at: RunRoot, rejected: str, console: Console
) -> dict[str, Described]:
    """Tables by name. What ingestion does not accept goes to `rejected`; raises as a run does."""
    places = dataclasses.replace(build_run_locations(data, at), rejected=rejected)
    fingerprint = preflight.fingerprint(config.dataset, data)
    connection = build_connection_config(str(at.metadata))
    pipeline = dag.build_statistics_pipeline(config, places, fingerprint, connection)
    lines = StageLines(console)
    try:
        LocalRunner(lines.started, lambda name, took: lines.finished(took, False)).run(pipeline)
    finally:
        lines.stop()
    metadata = RunMetadata(at.metadata, config.name)
    return {
        "interactions": _described(metadata, "InteractionsGen", "StatisticsGen.interactions"),
        "items": _described(metadata, "ItemsGen", "StatisticsGen.items"),
    }


def _described(metadata: RunMetadata, source: str, statistics: str) -> Described:
    ingested, counted = metadata.latest(source), metadata.latest(statistics)
    assert ingested is not None, f"{source} has finished"
    assert counted is not None, f"{statistics} has finished"
    artifact = counted.outputs["statistics"]
    splits = artifact_utils.decode_split_names(artifact.split_names)
    by_split = {split: split_statistics.load(artifact.uri, split) for split in splits}
    return Described(ingested.outputs["examples"].uri, by_split)
