"""A simulated shop: draws its catalogue, users and events from a seed, and writes its files."""

import json
import pathlib
from typing import Any

import numpy as np

from pipeline.simulator.catalogue import FOUNDING_SHARE, Catalogue, draw_catalogue, draw_stock
from pipeline.simulator.ceiling import (
    compute_scores,
    find_cut_time,
    make_oracle,
    make_popularity_scorer,
    select_test_queries,
)
from pipeline.simulator.choices import draw_choices, draw_outcomes
from pipeline.simulator.users import Schedule, Users, draw_schedule, draw_users
from pipeline.simulator.world import compute_days
from pipeline.simulator.write import (
    EventFiles,
    Faults,
    draw_faults,
    format_events,
    insert_faults,
    write_items,
    write_users,
)
from schema.dataset import Split
from schema.errors import UsageError

MIN_ITEMS = 20
MAX_MEASURED_USERS = 20_000
"""Of more test users the ceiling is measured on this many, to keep its cost bounded."""


def simulate(
    out: pathlib.Path,
    *,
    users: int,
    items: int,
    events: int,
    seed: int,
    malformed: int = 0,
    by_day: bool = False,
) -> dict[str, Any]:
    """Writes events.jsonl, items.jsonl, users.jsonl and truth.json; returns the truth.

    The same arguments give the same bytes. Memory: some tens of bytes per event, and the text of
    one block of events at a time.

    Args:
        out: Folder to write into.
        users: Number of users.
        items: Number of items.
        events: Number of valid events.
        seed: Seed of all random draws.
        malformed: Number of malformed lines among the events, in addition.
        by_day: Write the events to `events/<date>/events.jsonl`, by date (UTC).

    Raises:
        UsageError: The counts do not fit together, or `out` is not a folder.
    """
    _check_counts(users, items, events, seed, malformed)
    _make_folder(out)
    # One stream per part, so that a change in one draw leaves the other parts unchanged.
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(7)]
    catalogue = draw_catalogue(streams[0], items)
    people = draw_users(streams[1], users, catalogue.category_taste)
    schedule = draw_schedule(streams[2], people, events, compute_max_events_per_user(items))
    faults = draw_faults(streams[5], malformed, events)
    write_items(out / "items.jsonl", catalogue, draw_stock(streams[6], items))
    write_users(out / "users.jsonl", people)
    chosen = _write_events(out, by_day, catalogue, people, schedule, faults, streams[3], streams[4])
    truth: dict[str, Any] = {"seed": seed, "users": users, "items": items, "events": events}
    truth |= {"malformed": faults.counts(), **_measure_bounds(catalogue, people, schedule, chosen)}
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth


def compute_max_events_per_user(items: int) -> int:
    """Half of the items that exist from the start, so that no user runs out of unchosen items."""
    return int(FOUNDING_SHARE * items) // 2


def _check_counts(users: int, items: int, events: int, seed: int, malformed: int) -> None:
    if users < 1 or seed < 0 or malformed < 0:
        raise UsageError(
            "expected users of 1 or more, seed and malformed of 0 or more, received "
            f"users {users}, seed {seed}, malformed {malformed}; correct the one out of range"
        )
    if items < MIN_ITEMS:
        raise UsageError(f"expected {MIN_ITEMS} items or more, received {items}; increase --items")
    most = users * compute_max_events_per_user(items)
    if not users <= events <= most:
        raise UsageError(
            f"expected {users} to {most} events for {users} users and {items} items (at least one "
            f"per user, at most {compute_max_events_per_user(items)}), received {events}; "
            "change --events, --users or --items"
        )


def _make_folder(out: pathlib.Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(
            f"expected a folder or a free path at {out}, found a file; give another --out"
        ) from None


def _write_events(
    out: pathlib.Path,
    by_day: bool,
    catalogue: Catalogue,
    people: Users,
    schedule: Schedule,
    faults: Faults,
    choice_stream: np.random.Generator,
    outcome_stream: np.random.Generator,
) -> np.ndarray:
    """Draws and writes block by block; returns the item of every event, [events]."""
    chosen = np.empty(len(schedule.users), dtype=np.int32)
    files = EventFiles(out, by_day)
    for events, what in draw_choices(choice_stream, catalogue, people, schedule):
        chosen[events] = what
        who, when = schedule.users[events], schedule.timestamps[events]
        outcomes = draw_outcomes(outcome_stream, catalogue, people, who, what)
        lines = format_events(who, what, when, outcomes)
        for part in files.parts(when):
            first = events.start + part.start
            files.write(int(when[part.start]), insert_faults(lines[part], first, faults))
    return chosen


def _measure_bounds(
    catalogue: Catalogue, people: Users, schedule: Schedule, chosen: np.ndarray
) -> dict[str, Any]:
    """The ceiling and what popularity reaches, under the default split."""
    cut = find_cut_time(schedule.timestamps, Split().test_fraction)
    test = schedule.timestamps >= cut
    queries = select_test_queries(schedule.users, chosen, test, MAX_MEASURED_USERS)
    best = make_oracle(catalogue, people, compute_days(schedule.timestamps[test]))
    popular = make_popularity_scorer(chosen[~test], len(catalogue))
    return {
        "cut": cut,
        "measured_users": len(queries.users),
        "ceiling": compute_scores(queries, len(catalogue), best),
        "popular": compute_scores(queries, len(catalogue), popular),
    }
