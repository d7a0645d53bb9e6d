"""Text with one user per line, `user item item …` separated by blanks, as benchmarks have it.

`sequences` are in time order. They give the order of events but not their times. Therefore every
sequence ends at the same time, with one second between its events, so that the last events of all
users are equally late. `lists` have no order.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.lines import Lines
from components.ingest.read.pairs.columns import list_pair_columns
from components.ingest.read.records import WRONG_FIELD_COUNT, Fault, Records
from schema.sources import InteractionsSource
from schema.timeline import NO_TIME


def expand_sequences(lines: Lines) -> Lines:
    """Splits each line into one text per event, `user item time`, with the number of the line. The
    last event has the time NO_TIME.

    A line without an item stays one text, which `parse_pairs` rejects.
    """
    texts: list[str] = []
    counts: list[int] = []
    for line in lines.texts:
        user, *items = line.split() or [""]
        first = NO_TIME + 1 - len(items)
        events = [f"{user} {item} {time}" for time, item in enumerate(items, first)] or [user]
        texts += events
        counts.append(len(events))
    return lines._replace(texts=texts, numbers=np.repeat(lines.numbers, counts))


def expand_lists(lines: Lines) -> Lines:
    """Splits each line into one text per event, `user item`, with the number of the line; none for
    a line without an item, as published lists have for users without test events.
    """
    texts: list[str] = []
    counts: list[int] = []
    for line in lines.texts:
        user, *items = line.split() or [""]
        texts += [f"{user} {item}" for item in items]
        counts.append(len(items))
    return lines._replace(texts=texts, numbers=np.repeat(lines.numbers, counts))


def parse_pairs(
    texts: Sequence[str], selected: Collection[str], source: InteractionsSource
) -> Records:
    """Parses the result of `expand_sequences` or `expand_lists` to the columns of
    `list_pair_columns`.
    """
    names = list_pair_columns(source)
    parts = pc.split_pattern(pa.array(texts, pa.large_string()), pattern=" ")
    fits = np.equal(pc.list_value_length(parts).to_numpy(zero_copy_only=False), len(names))
    flat = parts.filter(pa.array(fits)).flatten()
    columns = {
        name: flat.take(pa.array(np.arange(at, len(flat), len(names))))
        for at, name in enumerate(names)
        if name in selected
    }
    short = Fault(WRONG_FIELD_COUNT, "expected a user and at least one item")
    faults = {int(n): short for n in np.flatnonzero(~fits)}
    return Records(columns, np.flatnonzero(fits), faults)
