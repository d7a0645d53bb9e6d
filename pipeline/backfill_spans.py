"""The spans that a backfill goes through, one after the other."""

import datetime

from schema.errors import UsageError
from schema.sources import InteractionsSource


def between(source: InteractionsSource, first: str, last: str) -> list[str]:
    """Every date or number from `first` to `last`, both included.

    Raises UsageError where these are no two such things, or in the wrong order, and where `source`
    has no window that could be moved.
    """
    if not source.comes_in_spans:
        raise UsageError(
            f"backfill expects {{SPAN}} in data.interactions.path, received {source.path!r}; "
            'write it where the day stands, as in "events/{SPAN}"'
        )
    if source.last_spans is None:
        raise UsageError(
            "backfill expects data.interactions.last_spans, received none; "
            "say how many spans one run reads"
        )
    spans = _numbers(first, last) or _dates(first, last)
    if not spans:
        raise UsageError(
            f"--from expects a span that is not after --to, received --from {first} --to {last}; "
            "turn them round"
        )
    return spans


def _numbers(first: str, last: str) -> list[str]:
    """[] where they are no numbers, or in the wrong order."""
    if not (first.isdecimal() and last.isdecimal()):
        return []
    return [str(number) for number in range(int(first), int(last) + 1)]


def _dates(first: str, last: str) -> list[str]:
    """[] where they are in the wrong order."""
    if first.isdecimal() and last.isdecimal():
        return []
    try:
        begin, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    except ValueError as error:
        raise UsageError(
            "--from and --to expect two dates such as 2024-01-31, or two numbers, received "
            f"--from {first} --to {last}; write both as the folders are named"
        ) from error
    days = (end - begin).days + 1
    return [(begin + datetime.timedelta(days=day)).isoformat() for day in range(days)]
