"""Sequences: one user per line, `user item item …` in time order, the format of public benchmarks.

They give the order of events but not their times. Therefore every sequence ends at the same time,
with one second between its events, so that the last events of all users are equally late.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.lines import Lines
from components.ingest.read.records import WRONG_FIELD_COUNT, Fault, Records
from schema.sources import InteractionsSource

SEQUENCE_END = 946_684_800
"""Time of the last event of every sequence: the beginning of the year 2000, UTC."""


def expand_sequences(lines: Lines) -> Lines:
    """Splits each line into one text per event, `user item time`, with the number of the line.

    A line without an item stays one text, which `parse_sequences` rejects.
    """
    texts: list[str] = []
    counts: list[int] = []
    for line in lines.texts:
        user, *items = line.split() or [""]
        first = SEQUENCE_END + 1 - len(items)
        events = [f"{user} {item} {time}" for time, item in enumerate(items, first)] or [user]
        texts += events
        counts.append(len(events))
    return lines._replace(texts=texts, numbers=np.repeat(lines.numbers, counts))


def parse_sequences(
    texts: Sequence[str], selected: Collection[str], source: InteractionsSource
) -> Records:
    """Parses the result of `expand_sequences` to columns, with the names in `source`."""
    parts = pc.split_pattern(pa.array(texts, pa.large_string()), pattern=" ")
    fits = np.equal(pc.list_value_length(parts).to_numpy(zero_copy_only=False), 3)
    flat = parts.filter(pa.array(fits)).flatten()
    columns = {
        name: flat.take(pa.array(np.arange(at, len(flat), 3)))
        for at, name in enumerate(list_sequence_columns(source))
        if name in selected
    }
    short = Fault(WRONG_FIELD_COUNT, "expected a user and at least one item")
    faults = {int(n): short for n in np.flatnonzero(~fits)}
    return Records(columns, np.flatnonzero(fits), faults)


def list_sequence_columns(source: InteractionsSource) -> list[str]:
    """Returns the columns of a sequence: user, item and time."""
    assert isinstance(source.user_id, str), "expected one column of ids"
    return [source.user_id, source.item_id, source.timestamp]
