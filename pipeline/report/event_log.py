"""The event log in the summary and in words: overlap with other tables, and events far in time."""

from collections.abc import Iterator

from components.ingest.events import rules as event_rules
from components.ingest.output.counts import MAX_SAMPLES, Counts
from schema.run_summary import EventLog

_FAR_EVENTS = {
    event_rules.EARLY_STRAGGLERS: (
        "far before all others",
        'data.interactions.time_outliers = "reject" rejects',
    ),
    event_rules.LATE_STRAGGLERS: (
        "far beyond all others",
        'data.interactions.time_outliers = "reject" rejects',
    ),
    event_rules.FUTURE_EVENTS: ("in the future", "data.interactions.not_after rejects"),
}

_OVERLAPS = {
    "items": "events are of items in the catalogue",
    "users": "users of the log are in the user table",
}


def summarise_log(counts: Counts) -> EventLog:
    """`log` of the summary, from the counts of the event log."""
    totals = counts.totals
    far = {name: totals[name] for name in event_rules.TIME_OUTLIERS if name in totals}
    overlaps = {
        name: {"total": overlap.total, "met": overlap.met, "share": overlap.share}
        for name, overlap in counts.meetings.items()
    }
    log = {"begin": totals.get("t_begin", 0), "end": totals.get("t_end", 0), "meetings": overlaps}
    samples = {"samples": {name: counts.samples.get(name, []) for name in far}} if far else {}
    return EventLog.model_validate(log | far | samples)


def format_log(log: EventLog) -> Iterator[str]:
    """A line for each overlap, then a line for each kind of event far in time."""
    for name, overlap in log.meetings.items():
        yield (
            f"{name}: {overlap.met:,} of {overlap.total:,} {_OVERLAPS[name]} ({overlap.share:.1%})"
        )
    for name, (where, remedy) in _FAR_EVENTS.items():
        count = log.outliers.get(name, 0)
        if count:
            samples = log.samples[name]
            events = "1 event is" if count == 1 else f"{count:,} events are"
            more = f" and {count - len(samples):,} more" if count > MAX_SAMPLES else ""
            yield f"time: {events} {where} ({'; '.join(samples)}{more}); {remedy} such"
