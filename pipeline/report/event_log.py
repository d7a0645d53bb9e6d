"""What a person should know of the event log: which ids meet, and what is far in time."""

from collections.abc import Iterator
from typing import Any

from components.ingest.events import rules as event_rules
from components.ingest.output.counts import Counts

_FAR_EVENTS = {
    event_rules.EARLY_STRAGGLERS: (
        "far before all others",
        'data.interactions.time_outliers = "reject" rejects',
    ),
    event_rules.LATE_STRAGGLERS: (
        "far beyond all others",
        'data.interactions.time_outliers = "reject" rejects',
    ),
    event_rules.FUTURE_EVENTS: ("yet to come", "data.interactions.not_after rejects"),
}

_OVERLAPS = {
    "items": "events are of items in the catalogue",
    "users": "users of the log are in the user table",
}


def summarise_log(counts: Counts) -> dict[str, Any]:
    """`log` of the summary: `begin` and `end` of the log's bulk (seconds since epoch, UTC), and,
    where there are some, events that are far from it, with `samples`; and by `meetings` how many of
    the events are of items in the catalogue, and of its users in the user table.
    """
    totals = counts.totals
    bulk = {"begin": totals.get("t_begin", 0), "end": totals.get("t_end", 0)}
    far = {name: totals[name] for name in event_rules.TIME_OUTLIERS if name in totals}
    samples = {name: counts.samples.get(name, []) for name in far}
    met = {
        name: {"total": found.total, "met": found.met, "share": found.share}
        for name, found in counts.meetings.items()
    }
    return bulk | {"meetings": met} | far | ({"samples": samples} if far else {})


def format_log(log: dict[str, Any]) -> Iterator[str]:
    """What meets, then one for each kind of event that is far; of a summary that says nothing,
    none.
    """
    for name, found in log.get("meetings", {}).items():
        yield (
            f"{name}: {found['met']:,} of {found['total']:,} {_OVERLAPS[name]} "
            f"({found['share']:.1%})"
        )
    for name, (where, remedy) in _FAR_EVENTS.items():
        count = log.get(name, 0)
        if count:
            events = "1 event is" if count == 1 else f"{count:,} events are"
            shown = "; ".join(log["samples"][name])
            more = f" and {count - len(log['samples'][name]):,} more" if count > 3 else ""
            yield f"time: {events} {where} ({shown}{more}); {remedy} such"
