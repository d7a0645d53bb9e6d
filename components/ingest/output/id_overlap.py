"""How many ids of the log are in another table, and how many more would be with the same spelling.

The functions without Beam compare two columns of ids; the Beam transform joins the distinct ids of
the log and the tables, so that events are not shuffled.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.output import shards

ID = "id"
WEIGHT = "weight"
BLANKS = "blanks around them"
_MAX_SHOWN = 3
_FORM = "form"


def _build_removal(pattern: str, replacement: str = "") -> Callable[[pa.Array], pa.Array]:
    return functools.partial(pc.replace_substring_regex, pattern=pattern, replacement=replacement)


SPELLING_CHANGES: dict[str, Callable[[pa.Array], pa.Array]] = {
    BLANKS: pc.utf8_trim_whitespace,
    "a trailing .0": _build_removal(r"^(.*[^.])\.0+$", r"\1"),
    "leading zeros": _build_removal(r"^0+([0-9])", r"\1"),
    "capital letters": pc.utf8_lower,
    "what stands before the first digit": _build_removal(r"^[^0-9]+([0-9])", r"\1"),
    "what stands before the last : / # _ -": _build_removal(r"^.*[:/#_-]([^:/#_-]+)$", r"\1"),
}
"""Differences in spelling and the function that removes each; the names are keys of counts.json."""

ALL_SPELLING_CHANGES = "several of these at once"


@dataclasses.dataclass(frozen=True)
class IdOverlap:
    """Overlap of the distinct ids of a log, each with a weight, and those of a table."""

    total: int
    """Weight of all ids of the log."""
    met: int
    """Weight of the ids that are also in the table."""
    by_change: dict[str, int]
    """Weight of the ids that would be in the table without a difference in spelling, by the
    difference."""
    alone: dict[str, int]
    """Ids that are only in the log: those of the largest weights, with the weights."""
    others: list[str]
    """Ids that are only in the table: the first in alphabetical order."""

    @property
    def share(self) -> float:
        """`met` / `total`; 1 if the log has no ids."""
        return self.met / self.total if self.total else 1.0


def count_ids(ids: pa.Array) -> pa.Table:
    """Returns a table of the distinct ids (ID) and their numbers of occurrences (WEIGHT)."""
    counted = ids.value_counts()
    return pa.table({ID: counted.field("values"), WEIGHT: counted.field("counts")})


def canonicalize_ids(ids: pa.Array) -> pa.Array:
    """Removes all differences in spelling from `ids` [n]. Two ids that end in a number, and are
    equal without some of the differences, become equal.
    """
    blanks, zero, zeros, capitals, digit, separator = SPELLING_CHANGES.values()
    for change in (capitals, blanks, zero, separator, digit, blanks, zero, zeros):
        ids = change(ids)
    return ids


def measure_overlap(log: pa.Table, table: pa.Array) -> IdOverlap:
    """Compares a log with a table.

    Args:
        log: Table with ID and WEIGHT; an id can occur more than once.
        table: [n] ids of the table.
    """
    ids, weights = log[ID].combine_chunks(), log[WEIGHT].to_numpy()
    in_table = _is_in(ids, table)
    unmet, weight = ids.filter(pa.array(~in_table)), weights[~in_table]
    met = int(weights[in_table].sum())
    changes = {**SPELLING_CHANGES, ALL_SPELLING_CHANGES: canonicalize_ids}
    return IdOverlap(
        total=int(weights.sum()),
        met=met,
        by_change={
            name: met + int(weight[_is_in(change(unmet), change(table))].sum())
            for name, change in (changes.items() if len(unmet) else ())
        },
        alone=_select_weightiest(unmet, weight),
        others=_select_first(table.filter(pa.array(~_is_in(table, ids))).unique()),
    )


def merge_overlaps(parts: Iterable[IdOverlap]) -> IdOverlap:
    """Sums the overlaps of parts that have no ids in common, in any spelling."""
    parts = list(parts)
    alone = [pair for part in parts for pair in part.alone.items()]
    names = dict.fromkeys(name for part in parts for name in part.by_change)
    return IdOverlap(
        total=sum(part.total for part in parts),
        met=sum(part.met for part in parts),
        by_change={n: sum(part.by_change.get(n, part.met) for part in parts) for n in names},
        alone=dict(sorted(alone, key=lambda pair: (-pair[1], pair[0]))[:_MAX_SHOWN]),
        others=sorted(text for part in parts for text in part.others)[:_MAX_SHOWN],
    )


def find_likely_change(overlap: IdOverlap, least: float) -> str | None:
    """Returns the difference in spelling without which the share reaches `least`;
    ALL_SPELLING_CHANGES if no single one suffices; None if not even that does.
    """
    single = {name: n for name, n in overlap.by_change.items() if name != ALL_SPELLING_CHANGES}
    for changes in (single, overlap.by_change):
        best = max(changes, key=lambda name: changes[name], default=None)
        if best is not None and changes[best] >= least * overlap.total:
            return best
    return None


def _select_weightiest(ids: pa.Array, weights: np.ndarray) -> dict[str, int]:
    counted = pa.table({ID: ids, WEIGHT: weights}).group_by(ID).aggregate([(WEIGHT, "sum")])
    order = [(f"{WEIGHT}_sum", "descending"), (ID, "ascending")]
    first = counted.take(pc.sort_indices(counted, sort_keys=order)[:_MAX_SHOWN])
    return dict(zip(first[ID].to_pylist(), first[f"{WEIGHT}_sum"].to_pylist(), strict=True))


def _select_first(ids: pa.Array) -> list[str]:
    return ids.take(pc.sort_indices(ids)[:_MAX_SHOWN]).to_pylist()


def _is_in(ids: pa.Array, among: pa.Array) -> np.ndarray:
    return pc.is_in(ids, value_set=among).to_numpy(zero_copy_only=False)


class IdPart(NamedTuple):
    """Distinct ids of a part of the log or of a table."""

    table: str
    """items or users."""
    in_log: bool
    """Whether the ids are from the log and have a weight (see `count_ids`)."""
    packed: bytes
    """Packed table with ID and, if `in_log`, WEIGHT."""


class MeasureOverlap(beam.PTransform):
    """PCollection of IdPart -> PCollection of (items or users, IdOverlap), several for each."""

    def __init__(self, count: int) -> None:
        """Declares a join in `count` parts."""
        super().__init__()
        self._count = count

    def expand(self, ids: beam.PCollection) -> Any:
        """Joins the parts by the ids without differences in spelling."""
        return (
            ids
            | "Divide" >> beam.FlatMap(_divide_ids, self._count)
            | "Gather" >> beam.GroupByKey()
            | "Join" >> beam.Map(_join_ids)
        )


def pack_log_ids(table: str, ids: pa.Array) -> IdPart:
    """Packs the ids of items or users in some events."""
    return IdPart(table, True, shards.pack(count_ids(ids)))


def pack_table_ids(table: str, ids: pa.Array) -> IdPart:
    """Packs the ids of a part of a table."""
    return IdPart(table, False, shards.pack(pa.table({ID: ids})))


def _divide_ids(part: IdPart, count: int) -> Iterator[tuple[tuple[str, int], IdPart]]:
    table = shards.unpack([part.packed])
    assert table is not None, "expected a packed table"
    formed = table.append_column(_FORM, canonicalize_ids(table[ID].combine_chunks()))
    for shard, rows in shards.divide(formed, _FORM, count):
        yield (part.table, shard), part._replace(packed=shards.pack(rows.drop([_FORM])))


def _join_ids(element: tuple[tuple[str, int], Iterable[IdPart]]) -> tuple[str, IdOverlap]:
    (name, _), parts = element
    sides: dict[bool, list[bytes]] = {True: [], False: []}
    for part in parts:
        sides[part.in_log].append(part.packed)
    log, table = shards.unpack(sides[True]), shards.unpack(sides[False])
    empty = pa.array([], pa.large_string())
    log = count_ids(empty) if log is None else log
    return name, measure_overlap(log, empty if table is None else table[ID].combine_chunks())
