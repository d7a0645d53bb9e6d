"""Statistics of new data, ingested as a run would ingest them, without running one.

Apart from `schema`, because it imports TFX, which takes seconds, after the cheap checks there.
"""

import dataclasses
import functools
from typing import NamedTuple

from rich.console import Console
from tfx.types import artifact_utils

from components.ingest.fingerprint import compute_input_fingerprint
from components.validation import split_statistics
from components.validation.drift import Statistics
from pipeline import dag
from pipeline.config.config import Config
from pipeline.console import StageLines
from pipeline.execution.sequential import SequentialRunner
from pipeline.metadata import RunMetadata, build_connection_config
from pipeline.run_root import RunRoot
from pipeline.runner import build_run_locations


class TableStatistics(NamedTuple):
    """One table."""

    examples_uri: str
    statistics: dict[str, Statistics]
    """By split."""


def compute_table_statistics(
    config: Config, data: str, at: RunRoot, rejected: str, console: Console
) -> dict[str, TableStatistics]:
    """Ingests the data and computes statistics; returns both tables by name. Raises as a run does.

    Args:
        config: The configuration.
        data: Folder or URL of the data.
        at: Where to write artifacts and metadata.
        rejected: Folder for the records that ingestion rejects.
        console: Where to print a line per stage.
    """
    locations = dataclasses.replace(build_run_locations(data, at), rejected=rejected)
    fingerprint = compute_input_fingerprint(config.dataset, data)
    connection = build_connection_config(str(at.metadata))
    pipeline = dag.build_statistics_pipeline(config, locations, fingerprint, connection)
    lines = StageLines(console)
    try:
        finish = functools.partial(lines.finish_stage, cached=False)
        SequentialRunner(lines.start_stage, finish).run(pipeline)
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
    source_run, counted = metadata.find_latest_run(source), metadata.find_latest_run(statistics)
    assert source_run is not None, f"{source} has finished"
    assert counted is not None, f"{statistics} has finished"
    artifact = counted.outputs["statistics"]
    splits = artifact_utils.decode_split_names(artifact.split_names)
    by_split = {split: split_statistics.load(artifact.uri, split) for split in splits}
    return TableStatistics(source_run.outputs["examples"].uri, by_split)
