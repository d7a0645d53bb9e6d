"""Beam: the different ids of log and tables -> how many meet, without an event in any shuffle."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa

from components.ingest.output import id_overlap, shards
from components.ingest.output.id_overlap import ID, Meeting

_FORM = "form"


class Ids(NamedTuple):
    """Different ids of a part of one side."""

    of: str
    """items or users."""
    in_log: bool
    """Whether they have a weight (see `meeting.weighed`), or are those of the table."""
    packed: bytes


class Meet(beam.PTransform):
    """PCollection of Ids -> of (items or users, Meeting), some of each."""

    def __init__(self, count: int) -> None:
        """Joins in `count` parts."""
        super().__init__()
        self._count = count

    def expand(self, ids: beam.PCollection) -> Any:
        """Ids that would meet if they were written alike come together."""
        return (
            ids
            | "Divide" >> beam.FlatMap(_divided, self._count)
            | "Gather" >> beam.GroupByKey()
            | "Join" >> beam.Map(_joined)
        )


def of_log(of: str, ids: pa.Array) -> Ids:
    """Of the ids of some events, or users."""
    return Ids(of, True, shards.pack(id_overlap.weighed(ids)))


def of_table(of: str, ids: pa.Array) -> Ids:
    """Of a part of a table."""
    return Ids(of, False, shards.pack(pa.table({ID: ids})))


def _divided(part: Ids, count: int) -> Iterator[tuple[tuple[str, int], Ids]]:
    table = shards.unpack([part.packed])
    assert table is not None, "expected a packed table"
    formed = table.append_column(_FORM, id_overlap.canonical(table[ID].combine_chunks()))
    for shard, rows in shards.divide(formed, _FORM, count):
        yield (part.of, shard), part._replace(packed=shards.pack(rows.drop([_FORM])))


def _joined(element: tuple[tuple[str, int], Iterable[Ids]]) -> tuple[str, Meeting]:
    (of, _), parts = element
    sides: dict[bool, list[bytes]] = {True: [], False: []}
    for part in parts:
        sides[part.in_log].append(part.packed)
    log, table = shards.unpack(sides[True]), shards.unpack(sides[False])
    nothing = pa.array([], pa.large_string())
    log = id_overlap.weighed(nothing) if log is None else log
    return of, id_overlap.meet(log, nothing if table is None else table[ID].combine_chunks())
