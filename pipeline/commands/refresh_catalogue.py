"""The catalogue that a refresh ends with: new files read, embedded and counted."""

import dataclasses
import os

from components.ingest import refresh as ingestion
from components.ingest.output.counts import Counts
from pipeline import refreshed_items
from pipeline.commands import refresh_popularity
from pipeline.commands.refresh_popularity import Present
from pipeline.refreshable import Refreshable
from pipeline.run_root import RunRoot
from schema import candidates as candidate_files
from schema import refresh_inputs
from schema.candidates import Candidates
from schema.storage.locations import is_remote
from serving import refreshed_candidates

_REJECTED = "refresh"


@dataclasses.dataclass(frozen=True)
class Given:
    """What the user gives: files, folders, globs or URLs, in the format of the run's own data."""

    items: str
    events: str | None


@dataclasses.dataclass(frozen=True)
class RefreshedCatalogue:
    """What the new version knows of items."""

    candidates: Candidates
    added: int
    changed: int
    present: Present | None
    """None where no events were given."""
    counts: list[Counts]
    """Of the items, and of the events where they were given."""


def read(given: Given, at: RunRoot, pushed: Refreshable) -> RefreshedCatalogue:
    """Items through the tower, events into votes. Raises what ingestion raises."""
    rejected = f"{at.place}/{at.rejected.name}/{_REJECTED}"
    read = ingestion.read_items(pushed.dataset, _absolute(given.items), rejected)
    items = refreshed_items.of(read.records, pushed.dataset, pushed.candidates_uri)
    refreshed = refreshed_candidates.with_items(candidate_files.load(pushed.candidates_uri), items)
    candidates, present, counts = refreshed.candidates, None, [read.counts]
    if given.events is not None:
        log = ingestion.read_events(
            pushed.dataset, _absolute(given.events), rejected, candidates.item_ids
        )
        counts.append(log.counts)
        known = refresh_inputs.load_recent(pushed.candidates_uri)
        days = pushed.origin.evaluated.popularity_days
        present = refresh_popularity.counted(known, log.records, candidates.item_ids, days)
        candidates = refreshed_candidates.with_log_popularity(candidates, present.log_popularity)
    return RefreshedCatalogue(candidates, refreshed.added, refreshed.changed, present, counts)


def _absolute(path: str) -> str:
    return path if is_remote(path) else os.path.abspath(path)
