"""New items, changed ones and what is popular now, into a new version of the pushed models.

Nothing is trained: query tower and ranking stay what they are, new items get the vector of their
content from the pushed candidate tower, and the index is built and measured anew.
"""

import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import tempfile
import time
from typing import TYPE_CHECKING, Any

from pipeline import run_directory
from pipeline.config import Config
from pipeline.run_directory import RunDirectory
from schema.errors import NoRunError
from schema.signatures import RANKING, RECOMMENDER, SERVABLES

if TYPE_CHECKING:
    from components.ingest.counts import Counts
    from pipeline.present_popularity import Present
    from schema.candidates import Candidates
    from schema.dataset import Dataset
    from serving.pushed_origin import Origin

_REJECTED = "refresh"


@dataclasses.dataclass(frozen=True)
class Given:
    """What the user gives: files, folders, globs or URLs, in the format of the run's own data."""

    items: str
    events: str | None


@dataclasses.dataclass(frozen=True)
class _Pushed:
    """The version that is refreshed."""

    version: str
    model: pathlib.Path
    """Folder of the recommender."""
    candidates_uri: str
    origin: "Origin"
    dataset: "Dataset"


@dataclasses.dataclass(frozen=True)
class _Catalogue:
    """What the new version knows of items."""

    candidates: "Candidates"
    added: int
    changed: int
    present: "Present | None"
    counts: "list[Counts]"


def refresh(root: pathlib.Path, given: Given) -> dict[str, Any]:
    """Pushes the new version and returns what was done, as `tandem refresh --json` prints it.

    Raises NoRunError without a run or a pushed version, UsageError for one of an older Tandem,
    ConfigError and DataRefused as ingestion does, NotBlessed for an index below its target: nothing
    is pushed then.
    """
    begun = time.perf_counter()
    at = run_directory.finished(root)
    summary = json.loads(at.summary.read_text(encoding="utf-8"))
    config = Config.model_validate(summary["config"])
    pushed = _opened(at)
    catalogue = _read(given, at, pushed)
    read = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tandem-refresh-") as name:
        models = pathlib.Path(name, "models")
        measured = _made(catalogue, pushed, config, models)
        extra = _beside(catalogue, pushed, pathlib.Path(name))
        checked = time.perf_counter()
        paths = _push(at, models, extra)
    done = _told(pushed, catalogue, measured, paths) | {
        "seconds": {
            "read_and_embed": read - begun,
            "index_export_and_check": checked - read,
            "total": time.perf_counter() - begun,
        }
    }
    _record(at, config.name, pushed, paths, done)
    return done


def _opened(at: RunDirectory) -> _Pushed:
    from schema import refreshing
    from serving import pushed_origin, pushed_versions

    version = pushed_origin.newest(at.serving)
    if not version:
        raise NoRunError(
            f"expected a pushed version to refresh in {at.serving}, received none; "
            f"run `tandem run --config … --root {at.root}` until its models are pushed"
        )
    extra = pushed_origin.folder(at.serving, version)
    uri = str(extra / pushed_origin.CANDIDATES)
    return _Pushed(
        version=version,
        model=pushed_versions.folder_of(at.serving, RECOMMENDER, int(version)),
        candidates_uri=uri,
        dataset=refreshing.load_dataset(uri),
        origin=pushed_origin.read(extra / pushed_origin.ORIGIN),
    )


def _read(given: Given, at: RunDirectory, pushed: _Pushed) -> _Catalogue:
    """Items through the tower, events into votes."""
    from components.ingest import refreshing as ingestion
    from pipeline import present_popularity, refreshed_items
    from schema import candidates as candidate_files
    from schema import refreshing
    from serving import refreshed_candidates

    rejected = str(at.rejected / _REJECTED)
    read = ingestion.read_items(pushed.dataset, _absolute(given.items), rejected)
    items = refreshed_items.of(read.records, pushed.dataset, pushed.candidates_uri)
    refreshed = refreshed_candidates.with_items(candidate_files.load(pushed.candidates_uri), items)
    candidates, present, counts = refreshed.candidates, None, [read.counts]
    if given.events is not None:
        log = ingestion.read_events(
            pushed.dataset, _absolute(given.events), rejected, candidates.item_ids
        )
        counts.append(log.counts)
        known = refreshing.load_recent(pushed.candidates_uri)
        days = pushed.origin.evaluated.popularity_days
        present = present_popularity.counted(known, log.records, candidates.item_ids, days)
        candidates = refreshed_candidates.with_log_popularity(candidates, present.log_popularity)
    return _Catalogue(candidates, refreshed.added, refreshed.changed, present, counts)


def _absolute(path: str) -> str:
    return path if "://" in path else os.path.abspath(path)


def _made(
    catalogue: _Catalogue, pushed: _Pushed, config: Config, models: pathlib.Path
) -> dict[str, Any]:
    """Writes the three servables below `models`, and asks them; what was measured of the index."""
    from schema import candidates as candidate_files
    from serving import (
        deny_list,
        eligibility,
        index_rebuild,
        infra_check,
        pushed_index,
        refreshed_models,
        servable_export,
    )

    candidates = catalogue.candidates
    denied = deny_list.ids(deny_list.read(config.index.deny_list))
    built, measured = index_rebuild.rebuild(
        candidates.vectors,
        eligibility.Eligibility.of(candidates, denied),
        candidates.sample_queries,
        config.index,
        pushed_index.read(pushed.model),
    )
    measured |= eligibility.left_out(candidates, denied)
    before = candidate_files.load_items(pushed.candidates_uri)["item_id"].combine_chunks()
    evaluated = pushed.origin.evaluated
    with refreshed_models.told(pushed.model, before, candidates) as told:
        servable_export.export(
            told.query,
            built.index,
            told.ranking,
            candidates,
            evaluated.ranking_candidates,
            evaluated.order == RANKING,
            str(models),
        )
    pushed_index.write(measured, models / RECOMMENDER)
    infra_check.check(models)
    return measured


def _beside(
    catalogue: _Catalogue, pushed: _Pushed, folder: pathlib.Path
) -> dict[str, pathlib.Path]:
    """What goes with the version: its candidates, with what the next refresh takes, and origin."""
    from schema import candidates as candidate_files
    from schema import refreshing
    from serving import pushed_origin

    kept = folder / pushed_origin.CANDIDATES
    shutil.copytree(
        refreshing.tower_folder(pushed.candidates_uri), refreshing.tower_folder(str(kept))
    )
    candidate_files.save(catalogue.candidates, str(kept))
    present = catalogue.present
    recent = present.recent if present else refreshing.load_recent(pushed.candidates_uri)
    refreshing.save(pushed.dataset, recent, str(kept))
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    changed = {"pushed_at": now, "refreshed_from": pushed.version}
    origin = folder / pushed_origin.ORIGIN
    pushed_origin.write(pushed.origin.model_copy(update=changed), origin)
    return {pushed_origin.CANDIDATES: kept, pushed_origin.ORIGIN: origin}


def _push(
    at: RunDirectory, models: pathlib.Path, extra: dict[str, pathlib.Path]
) -> dict[str, pathlib.Path]:
    from serving import pushed_origin, pushed_versions

    return pushed_versions.push(
        {name: models / name for name in SERVABLES},
        at.serving,
        pushed_versions.next_version(at.serving),
        {RECOMMENDER: {f"{pushed_origin.EXTRA}/{name}": path for name, path in extra.items()}},
    )


def _told(
    pushed: _Pushed,
    catalogue: _Catalogue,
    measured: dict[str, Any],
    paths: dict[str, pathlib.Path],
) -> dict[str, Any]:
    present = catalogue.present
    tables = {
        name: dataclasses.asdict(table)
        for counts in catalogue.counts
        for name, table in counts.tables.items()
    }
    return {
        "version": int(paths[RECOMMENDER].name),
        "refreshed_from": int(pushed.version),
        "rows": tables,
        "items": {
            "added": catalogue.added,
            "changed": catalogue.changed,
            "total": len(catalogue.candidates.item_ids),
        },
        "popularity": {"new_events": present.added, "now": present.now} if present else None,
        "index": measured,
        "servables": {name: str(path) for name, path in paths.items()},
    }


def _record(
    at: RunDirectory,
    pipeline: str,
    pushed: _Pushed,
    paths: dict[str, pathlib.Path],
    done: dict[str, Any],
) -> None:
    from pipeline import refresh_lineage
    from serving import pushed_versions

    before = {
        name: pushed_versions.folder_of(at.serving, name, int(pushed.version)) for name in SERVABLES
    }
    said = {name: done[name] for name in ("rows", "items", "popularity", "index")}
    refresh_lineage.record(at.metadata, pipeline, before, paths, said)
