"""How many ids of the log are in another table, and how many more would be if spelled alike.

The pure part compares two columns of ids; the Beam part joins the distinct ids of log and tables,
so that no event passes through a shuffle.
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


def _build_removal(pattern: str, kept: str = "") -> Callable[[pa.Array], pa.Array]:
    return functools.partial(pc.replace_substring_regex, pattern=pattern, replacement=kept)


SPELLING_CHANGES: dict[str, Callable[[pa.Array], pa.Array]] = {
    BLANKS: pc.utf8_trim_whitespace,
    "a trailing .0": _build_removal(r"^(.*[^.])\.0+$", r"\1"),
    "leading zeros": _build_removal(r"^0+([0-9])", r"\1"),
    "capital letters": pc.utf8_lower,
    "what stands before the first digit": _build_removal(r"^[^0-9]+([0-9])", r"\1"),
    "what stands before the last : / # _ -": _build_removal(r"^.*[:/#_-]([^:/#_-]+)$", r"\1"),
}

ALL_SPELLING_CHANGES = "several of these at once"


@dataclasses.dataclass(frozen=True)
class IdOverlap:
    """Of the different ids of a log, each with a weight, and those of a table."""

    total: int
    """Weight of all ids of the log."""
    met: int
    """Of those that the table has too."""
    by_change: dict[str, int]
    """What would meet without a difference in writing, in both; by the difference."""
    alone: dict[str, int]
    """Ids of the log that the table lacks, the weightiest with their weight."""
    others: list[str]
    """Ids of the table that the log lacks, the first in order."""

    @property
    def share(self) -> float:
        """What meets, of all; 1 where there is nothing."""
        return self.met / self.total if self.total else 1.0


def count_ids(ids: pa.Array) -> pa.Table:
    """ID, each once, and WEIGHT: how often it stands in `ids`."""
    counted = ids.value_counts()
    return pa.table({ID: counted.field("values"), WEIGHT: counted.field("counts")})


def canonicalize_ids(ids: pa.Array) -> pa.Array:
    """[n] what is left of ids without any of the differences. Ids that end in a number and meet
    without some of the differences are equal here.
    """
    blanks, zero, zeros, capitals, digit, separator = SPELLING_CHANGES.values()
    for change in (capitals, blanks, zero, separator, digit, blanks, zero, zeros):
        ids = change(ids)
    return ids


def measure_overlap(log: pa.Table, table: pa.Array) -> IdOverlap:
    """`log` has ID and WEIGHT, an id perhaps more than once; `table` ids."""
    ids, weights = log[ID].combine_chunks(), log[WEIGHT].to_numpy()
    here = _is_in(ids, table)
    unmet, weight = ids.filter(pa.array(~here)), weights[~here]
    met = int(weights[here].sum())
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
    """Of parts that share no id, nor any that would meet."""
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


def find_likely_change(found: IdOverlap, least: float) -> str | None:
    """The one difference without which the share of `least` is reached; several only where no
    single one is enough; None where none is.
    """
    single = {name: n for name, n in found.by_change.items() if name != ALL_SPELLING_CHANGES}
    for changes in (single, found.by_change):
        best = max(changes, key=lambda name: changes[name], default=None)
        if best is not None and changes[best] >= least * found.total:
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
    """Different ids of a part of one side."""

    of: str
    """items or users."""
    in_log: bool
    """Whether they have a weight (see `count_ids`), or are those of the table."""
    packed: bytes


class MeasureOverlap(beam.PTransform):
    """PCollection of IdPart -> of (items or users, IdOverlap), some of each."""

    def __init__(self, count: int) -> None:
        """Joins in `count` parts."""
        super().__init__()
        self._count = count

    def expand(self, ids: beam.PCollection) -> Any:
        """Ids that would meet if they were written alike come together."""
        return (
            ids
            | "Divide" >> beam.FlatMap(_divide_ids, self._count)
            | "Gather" >> beam.GroupByKey()
            | "Join" >> beam.Map(_join_ids)
        )


def pack_log_ids(of: str, ids: pa.Array) -> IdPart:
    """Of the ids of some events, or users."""
    return IdPart(of, True, shards.pack(count_ids(ids)))


def pack_table_ids(of: str, ids: pa.Array) -> IdPart:
    """Of a part of a table."""
    return IdPart(of, False, shards.pack(pa.table({ID: ids})))


def _divide_ids(part: IdPart, count: int) -> Iterator[tuple[tuple[str, int], IdPart]]:
    table = shards.unpack([part.packed])
    assert table is not None, "expected a packed table"
    formed = table.append_column(_FORM, canonicalize_ids(table[ID].combine_chunks()))
    for shard, rows in shards.divide(formed, _FORM, count):
        yield (part.of, shard), part._replace(packed=shards.pack(rows.drop([_FORM])))


def _join_ids(element: tuple[tuple[str, int], Iterable[IdPart]]) -> tuple[str, IdOverlap]:
    (of, _), parts = element
    sides: dict[bool, list[bytes]] = {True: [], False: []}
    for part in parts:
        sides[part.in_log].append(part.packed)
    log, table = shards.unpack(sides[True]), shards.unpack(sides[False])
    nothing = pa.array([], pa.large_string())
    log = count_ids(nothing) if log is None else log
    return of, measure_overlap(log, nothing if table is None else table[ID].combine_chunks())
