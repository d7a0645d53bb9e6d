"""`tandem refresh`: new and changed items, and current popularity, in a new version of the pushed
models.

Nothing is trained: query tower and ranking model stay as they are, new items get the vector that
the pushed candidate tower computes from their content, and the index is rebuilt and measured.
"""

import dataclasses
import pathlib
import tempfile
import time
from typing import Any

from components.ingest.read.files import open_file_systems
from pipeline.commands.refresh_catalogue import (
    BaseVersion,
    RefreshedCatalogue,
    RefreshInputs,
    open_base_version,
    read_catalogue,
)
from pipeline.commands.refresh_popularity import CurrentPopularity
from pipeline.commands.refresh_version import (
    push_version,
    record_refresh,
    write_extra_files,
    write_models,
)
from pipeline.config.config import Config
from pipeline.run_root import RunRoot
from schema.signatures import RECOMMENDER, SERVABLES
from serving.versions.store import open_version_store


def refresh(at: RunRoot, config: Config, inputs: RefreshInputs) -> dict[str, Any]:
    """Pushes the new version and returns the summary that `tandem refresh --json` prints.

    Args:
        at: Root of a finished run of that configuration.
        config: Configuration of the run.
        inputs: Files of new items and events.

    Raises:
        NoRunError: The run has no pushed version.
        UsageError: An older Tandem pushed the version.
        ConfigError, DataRefused: As in ingestion.
        NotBlessed: The index is below its recall target; nothing is pushed.
    """
    open_file_systems()
    with open_version_store(f"{at.location}/serving").follow() as serving:
        return _push_refreshed(at, serving, config, inputs)


def _push_refreshed(
    at: RunRoot, serving: pathlib.Path, config: Config, inputs: RefreshInputs
) -> dict[str, Any]:
    start = time.perf_counter()
    pushed = open_base_version(serving, at.location)
    catalogue = read_catalogue(inputs, at, pushed)
    embedded = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tandem-refresh-") as name:
        models = pathlib.Path(name, "models")
        measured = write_models(catalogue, pushed, config.index, models)
        extra = write_extra_files(catalogue, pushed, pathlib.Path(name))
        checked = time.perf_counter()
        paths = push_version(at, models, extra)
    summary = _summarise_refresh(pushed, catalogue, measured, paths) | {
        "seconds": {
            "read_and_embed": embedded - start,
            "index_export_and_check": checked - embedded,
            "total": time.perf_counter() - start,
        }
    }
    _record_lineage(at, config.name, pushed, paths, summary)
    return summary


def _summarise_refresh(
    pushed: BaseVersion,
    catalogue: RefreshedCatalogue,
    measured: dict[str, Any],
    paths: dict[str, str],
) -> dict[str, Any]:
    tables = {
        name: dataclasses.asdict(table)
        for counts in catalogue.counts
        for name, table in counts.tables.items()
    }
    return {
        "version": int(paths[RECOMMENDER].rpartition("/")[2]),
        "refreshed_from": int(pushed.version),
        "rows": tables,
        "items": {
            "added": catalogue.added,
            "changed": catalogue.changed,
            "total": len(catalogue.candidates.item_ids),
        },
        "popularity": _summarise_popularity(catalogue.popularity),
        "index": measured,
        "servables": paths,
    }


def _summarise_popularity(popularity: CurrentPopularity | None) -> dict[str, int] | None:
    if popularity is None:
        return None
    summary = {"new_events": popularity.added, "now": popularity.now}
    return summary | ({"stragglers": popularity.beyond} if popularity.beyond else {})


def _record_lineage(
    at: RunRoot,
    pipeline: str,
    pushed: BaseVersion,
    paths: dict[str, str],
    summary: dict[str, Any],
) -> None:
    before = {name: f"{at.location}/serving/{name}/{pushed.version}" for name in SERVABLES}
    properties = {name: summary[name] for name in ("rows", "items", "popularity", "index")}
    record_refresh(at.metadata, pipeline, before, paths, properties)
