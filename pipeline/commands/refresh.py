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
from pipeline import refresh_lineage, refreshable
from pipeline.commands import refresh_catalogue, refresh_version
from pipeline.commands.refresh_catalogue import Given, RefreshedCatalogue
from pipeline.commands.refresh_popularity import Present
from pipeline.config.config import Config
from pipeline.refreshable import Refreshable
from pipeline.run_root import RunRoot
from schema.signatures import RECOMMENDER, SERVABLES
from serving.versions import mirror


def refresh(at: RunRoot, config: Config, given: Given) -> dict[str, Any]:
    """Pushes the new version and returns what was done, as `tandem refresh --json` prints it.

    `at` is the directory of a finished run of that configuration. Raises NoRunError without a
    pushed version, UsageError for one of an older Tandem, ConfigError and DataRefused as ingestion
    does, NotBlessed for an index below its target: nothing is pushed then.
    """
    preflight.open_file_systems()
    with mirror.folder_of(f"{at.place}/serving") as serving:
        return _refreshed(at, serving, config, given)


def _refreshed(at: RunRoot, serving: pathlib.Path, config: Config, given: Given) -> dict[str, Any]:
    begun = time.perf_counter()
    pushed = refreshable.opened(serving, at.place)
    catalogue = refresh_catalogue.read(given, at, pushed)
    read = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tandem-refresh-") as name:
        models = pathlib.Path(name, "models")
        measured = refresh_version.write_models(catalogue, pushed, config.index, models)
        extra = refresh_version.write_beside(catalogue, pushed, pathlib.Path(name))
        checked = time.perf_counter()
        paths = refresh_version.push(at, models, extra)
    done = _told(pushed, catalogue, measured, paths) | {
        "seconds": {
            "read_and_embed": read - begun,
            "index_export_and_check": checked - read,
            "total": time.perf_counter() - begun,
        }
    }
    _record(at, config.name, pushed, paths, done)
    return done


def _told(
    pushed: Refreshable,
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
        "popularity": _popularity(catalogue.present),
        "index": measured,
        "servables": paths,
    }


def _popularity(present: Present | None) -> dict[str, int] | None:
    if present is None:
        return None
    told = {"new_events": present.added, "now": present.now}
    return told | ({"stragglers": present.beyond} if present.beyond else {})


def _record(
    at: RunRoot,
    pipeline: str,
    pushed: Refreshable,
    paths: dict[str, str],
    done: dict[str, Any],
) -> None:
    before = {name: f"{at.place}/serving/{name}/{pushed.version}" for name in SERVABLES}
    said = {name: done[name] for name in ("rows", "items", "popularity", "index")}
    refresh_lineage.record(at.metadata, pipeline, before, paths, said)
