"""One simulated shop, from a seed to its files."""

import json
import pathlib
from typing import Any

import numpy as np

from pipeline.simulator.catalogue import Catalogue, draw_catalogue, draw_stock
from pipeline.simulator.ceiling import all_time_popularity, oracle
from pipeline.simulator.choices import draw_choices
from pipeline.simulator.malformed import Faults, draw_faults, with_faults
from pipeline.simulator.outcomes import draw_outcomes
from pipeline.simulator.period import day_of
from pipeline.simulator.protocol import cut_time, question, score
from pipeline.simulator.sessions import Schedule, draw_schedule
from pipeline.simulator.trends import OLD
from pipeline.simulator.users import Users, draw_users
from pipeline.simulator.write import EventFiles, event_lines, write_items, write_users
from schema.dataset import Split
from schema.errors import UsageError

FEWEST_ITEMS = 20
MEASURED_USERS = 20_000
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
    """Writes events.jsonl, items.jsonl, users.jsonl and truth.json into `out`; returns the truth.
    `by_day` the events go into `events/<date>/events.jsonl`, by their dates (UTC).

    Same arguments, same bytes. `events` counts sound lines, `malformed` broken ones come on top.
    Memory: some tens of bytes an event, and the text of one block of events at a time.
    Raises UsageError for counts that make no shop, and where `out` is no folder.
    """
    _check(users, items, events, seed, malformed)
    _make_folder(out)
    # One stream per part: a change in one draw leaves the other parts as they were.
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(7)]
    catalogue = draw_catalogue(streams[0], items)
    people = draw_users(streams[1], users, catalogue.category_taste)
    schedule = draw_schedule(streams[2], people, events, most_events_a_user(items))
    faults = draw_faults(streams[5], malformed, events)
    write_items(out / "items.jsonl", catalogue, draw_stock(streams[6], items))
    write_users(out / "users.jsonl", people)
    chosen = _write_events(out, by_day, catalogue, people, schedule, faults, streams[3], streams[4])
    truth: dict[str, Any] = {"seed": seed, "users": users, "items": items, "events": events}
    truth |= {"malformed": faults.counts(), **_room(catalogue, people, schedule, chosen)}
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth


def most_events_a_user(items: int) -> int:
    """Half of the items that are there from the start: nobody runs out of items not chosen yet."""
    return int(OLD * items) // 2


def _check(users: int, items: int, events: int, seed: int, malformed: int) -> None:
    if users < 1 or seed < 0 or malformed < 0:
        raise UsageError(
            "expected users of 1 or more, seed and malformed of 0 or more, received "
            f"users {users}, seed {seed}, malformed {malformed}; fix the one that does not fit"
        )
    if items < FEWEST_ITEMS:
        raise UsageError(f"expected {FEWEST_ITEMS} items or more, received {items}; ask for more")
    most = users * most_events_a_user(items)
    if not users <= events <= most:
        raise UsageError(
            f"expected {users} to {most} events for {users} users and {items} items (one a user at "
            f"least, {most_events_a_user(items)} at most), received {events}; "
            "change --events, --users or --items"
        )


def _make_folder(out: pathlib.Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(
            f"expected a folder, or nothing yet, at {out}, found a file in the way; "
            "give another --out"
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
        lines = event_lines(who, what, when, outcomes)
        for part in files.parts(when):
            first = events.start + part.start
            files.write(int(when[part.start]), with_faults(lines[part], first, faults))
    return chosen


def _room(
    catalogue: Catalogue, people: Users, schedule: Schedule, chosen: np.ndarray
) -> dict[str, Any]:
    """The ceiling and what popularity reaches, under the default split."""
    cut = cut_time(schedule.timestamps, Split().test_fraction)
    test = schedule.timestamps >= cut
    asked = question(schedule.users, chosen, test, MEASURED_USERS)
    best = oracle(catalogue, people, day_of(schedule.timestamps[test]))
    popular = all_time_popularity(chosen[~test], len(catalogue))
    return {
        "cut": cut,
        "measured_users": len(asked.users),
        "ceiling": score(asked, len(catalogue), best),
        "popular": score(asked, len(catalogue), popular),
    }
