"""A simulated shop: draws its catalogue, users and events from a seed, and writes its files."""

import dataclasses
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
from schema.errors import UsageError
from schema.split import Split

MIN_ITEMS = 20
MAX_MEASURED_USERS = 20_000
"""Maximum number of test users on whom the ceiling is measured, which bounds its cost."""


@dataclasses.dataclass(frozen=True)
class ShopSize:
    """How much to simulate."""

    users: int
    items: int
    events: int
    """Number of valid events."""
    malformed: int = 0
    """Number of malformed lines among the events, in addition."""


@dataclasses.dataclass(frozen=True)
class _Shop:
    """What is drawn before the choices."""

    catalogue: Catalogue
    users: Users
    schedule: Schedule
    faults: Faults


def simulate(
    out: pathlib.Path, size: ShopSize, *, seed: int, by_day: bool = False
) -> dict[str, Any]:
    """Writes events.jsonl, items.jsonl, users.jsonl and truth.json; returns the content of the
    last.

    The same arguments give the same bytes. Memory: some tens of bytes per event, and the text of
    one block of events at a time.

    Args:
        out: Folder to write into.
        size: Numbers of users, items, events and malformed lines.
        seed: Seed of all random draws, 0 or more.
        by_day: Write the events to `events/<date>/events.jsonl`, by date (UTC).

    Raises:
        UsageError: The counts do not fit together, or `out` is not a folder.
    """
    _check_size(size, seed)
    _make_folder(out)
    # One stream per part, so that a change in one draw leaves the other parts unchanged.
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(7)]
    catalogue = draw_catalogue(streams[0], size.items)
    users = draw_users(streams[1], size.users, catalogue.category_taste)
    cap = compute_max_events_per_user(size.items)
    schedule = draw_schedule(streams[2], users, size.events, cap)
    faults = draw_faults(streams[5], size.malformed, size.events)
    write_items(out / "items.jsonl", catalogue, draw_stock(streams[6], size.items))
    write_users(out / "users.jsonl", users)
    shop = _Shop(catalogue, users, schedule, faults)
    chosen = _write_events(EventFiles(out, by_day), shop, streams[3], streams[4])
    truth = {"seed": seed, **dataclasses.asdict(size), "malformed": faults.count_by_kind()}
    truth |= _measure_bounds(shop, chosen)
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth


def compute_max_events_per_user(items: int) -> int:
    """Half of the items that exist from the start, so that no user runs out of new items."""
    return int(FOUNDING_SHARE * items) // 2


def _check_size(size: ShopSize, seed: int) -> None:
    if size.users < 1 or seed < 0 or size.malformed < 0:
        raise UsageError(
            "expected users of 1 or more, seed and malformed of 0 or more, received "
            f"users {size.users}, seed {seed}, malformed {size.malformed}; "
            "correct the value that is out of range"
        )
    if size.items < MIN_ITEMS:
        raise UsageError(
            f"expected {MIN_ITEMS} items or more, received {size.items}; increase --items"
        )
    cap = compute_max_events_per_user(size.items)
    if not size.users <= size.events <= size.users * cap:
        raise UsageError(
            f"expected {size.users} to {size.users * cap} events for {size.users} users and "
            f"{size.items} items (at least one per user, at most {cap}), "
            f"received {size.events}; change --events, --users or --items"
        )


def _make_folder(out: pathlib.Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(
            f"expected a folder or a free path at {out}, found a file; give another --out"
        ) from None


def _write_events(
    files: EventFiles,
    shop: _Shop,
    choice_stream: np.random.Generator,
    outcome_stream: np.random.Generator,
) -> np.ndarray:
    """Draws and writes block by block; returns the item of every event, [events]."""
    schedule = shop.schedule
    chosen = np.empty(len(schedule.users), dtype=np.int32)
    for events, items in draw_choices(choice_stream, shop.catalogue, shop.users, schedule):
        chosen[events] = items
        users, timestamps = schedule.users[events], schedule.timestamps[events]
        outcomes = draw_outcomes(outcome_stream, shop.catalogue, shop.users, users, items)
        lines = format_events(users, items, timestamps, outcomes)
        for part in files.split_by_file(timestamps):
            first = events.start + part.start
            faulty = insert_faults(lines[part], first, shop.faults)
            files.write(int(timestamps[part.start]), faulty)
    return chosen


def _measure_bounds(shop: _Shop, chosen: np.ndarray) -> dict[str, Any]:
    """Quality of the oracle and of popularity, under the default split."""
    timestamps, items = shop.schedule.timestamps, len(shop.catalogue)
    cut = find_cut_time(timestamps, Split().test_fraction)
    test = timestamps >= cut
    queries = select_test_queries(shop.schedule.users, chosen, test, MAX_MEASURED_USERS)
    oracle = make_oracle(shop.catalogue, shop.users, compute_days(timestamps[test]))
    popularity = make_popularity_scorer(chosen[~test], items)
    return {
        "cut": cut,
        "measured_users": len(queries.users),
        "ceiling": compute_scores(queries, items, oracle),
        "popular": compute_scores(queries, items, popularity),
    }
