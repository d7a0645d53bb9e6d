"""New items, changed ones and what is popular now, into a new version of the pushed models.

Nothing is trained: query tower and ranking stay what they are, new items get the vector of their
content from the pushed candidate tower, and the index is built and measured anew.
"""

import dataclasses
import pathlib
import tempfile
import time
from typing import Any

from components.ingest import preflight
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
from serving.versions import mirror


def refresh(at: RunRoot, config: Config, given: RefreshInputs) -> dict[str, Any]:
    """Pushes the new version and returns what was done, as `tandem refresh --json` prints it.

    `at` is the directory of a finished run of that configuration. Raises NoRunError without a
    pushed version, UsageError for one of an older Tandem, ConfigError and DataRefused as ingestion
    does, NotBlessed for an index below its target: nothing is pushed then.
    """
    preflight.open_file_systems()
    with mirror.folder_of(f"{at.place}/serving") as serving:
        return _push_refreshed(at, serving, config, given)


def _push_refreshed(
    at: RunRoot, serving: pathlib.Path, config: Config, given: RefreshInputs
) -> dict[str, Any]:
    begun = time.perf_counter()
    pushed = open_base_version(serving, at.place)
    catalogue = read_catalogue(given, at, pushed)
    read = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tandem-refresh-") as name:
        models = pathlib.Path(name, "models")
        measured = write_models(catalogue, pushed, config.index, models)
        extra = write_extra_files(catalogue, pushed, pathlib.Path(name))
        checked = time.perf_counter()
        paths = push_version(at, models, extra)
    done = _summarise_refresh(pushed, catalogue, measured, paths) | {
        "seconds": {
            "read_and_embed": read - begun,
            "index_export_and_check": checked - read,
            "total": time.perf_counter() - begun,
        }
    }
    _record_lineage(at, config.name, pushed, paths, done)
    return done


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
        "popularity": _summarise_popularity(catalogue.present),
        "index": measured,
        "servables": paths,
    }


def _summarise_popularity(present: CurrentPopularity | None) -> dict[str, int] | None:
    if present is None:
        return None
    told = {"new_events": present.added, "now": present.now}
    return told | ({"stragglers": present.beyond} if present.beyond else {})


def _record_lineage(
    at: RunRoot,
    pipeline: str,
    pushed: BaseVersion,
    paths: dict[str, str],
    done: dict[str, Any],
) -> None:
    before = {name: f"{at.place}/serving/{name}/{pushed.version}" for name in SERVABLES}
    said = {name: done[name] for name in ("rows", "items", "popularity", "index")}
    record_refresh(at.metadata, pipeline, before, paths, said)
