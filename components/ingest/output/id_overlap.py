"""Do the ids of one table meet those of another, and would they if they were written otherwise?"""

import dataclasses
import functools
from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ID = "id"
WEIGHT = "weight"
BLANKS = "blanks around them"
_SHOWN = 3


def _without(pattern: str, kept: str = "") -> Callable[[pa.Array], pa.Array]:
    return functools.partial(pc.replace_substring_regex, pattern=pattern, replacement=kept)


CHANGES: dict[str, Callable[[pa.Array], pa.Array]] = {
    BLANKS: pc.utf8_trim_whitespace,
    "a trailing .0": _without(r"^(.*[^.])\.0+$", r"\1"),
    "leading zeros": _without(r"^0+([0-9])", r"\1"),
    "capital letters": pc.utf8_lower,
    "what stands before the first digit": _without(r"^[^0-9]+([0-9])", r"\1"),
    "what stands before the last : / # _ -": _without(r"^.*[:/#_-]([^:/#_-]+)$", r"\1"),
}
ALL_CHANGES = "several of these at once"


@dataclasses.dataclass(frozen=True)
class Meeting:
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


def weighed(ids: pa.Array) -> pa.Table:
    """ID, each once, and WEIGHT: how often it stands in `ids`."""
    counted = ids.value_counts()
    return pa.table({ID: counted.field("values"), WEIGHT: counted.field("counts")})


def canonical(ids: pa.Array) -> pa.Array:
    """[n] what is left of ids without any of the differences. Ids that end in a number and meet
    without some of the differences are equal here.
    """
    blanks, zero, zeros, capitals, digit, separator = CHANGES.values()
    for change in (capitals, blanks, zero, separator, digit, blanks, zero, zeros):
        ids = change(ids)
    return ids


def meet(log: pa.Table, table: pa.Array) -> Meeting:
    """`log` has ID and WEIGHT, an id perhaps more than once; `table` ids."""
    ids, weights = log[ID].combine_chunks(), log[WEIGHT].to_numpy()
    here = _is_in(ids, table)
    unmet, weight = ids.filter(pa.array(~here)), weights[~here]
    met = int(weights[here].sum())
    changes = {**CHANGES, ALL_CHANGES: canonical}
    return Meeting(
        total=int(weights.sum()),
        met=met,
        by_change={
            name: met + int(weight[_is_in(change(unmet), change(table))].sum())
            for name, change in (changes.items() if len(unmet) else ())
        },
        alone=_weightiest(unmet, weight),
        others=_first(table.filter(pa.array(~_is_in(table, ids))).unique()),
    )


def together(parts: Iterable[Meeting]) -> Meeting:
    """Of parts that share no id, nor any that would meet."""
    parts = list(parts)
    alone = [pair for part in parts for pair in part.alone.items()]
    names = dict.fromkeys(name for part in parts for name in part.by_change)
    return Meeting(
        total=sum(part.total for part in parts),
        met=sum(part.met for part in parts),
        by_change={n: sum(part.by_change.get(n, part.met) for part in parts) for n in names},
        alone=dict(sorted(alone, key=lambda pair: (-pair[1], pair[0]))[:_SHOWN]),
        others=sorted(text for part in parts for text in part.others)[:_SHOWN],
    )


def likely_reason(found: Meeting, least: float) -> str | None:
    """The one difference without which the share of `least` is reached; several only where no
    single one is enough; None where none is.
    """
    single = {name: n for name, n in found.by_change.items() if name != ALL_CHANGES}
    for changes in (single, found.by_change):
        best = max(changes, key=lambda name: changes[name], default=None)
        if best is not None and changes[best] >= least * found.total:
            return best
    return None


def _weightiest(ids: pa.Array, weights: np.ndarray) -> dict[str, int]:
    counted = pa.table({ID: ids, WEIGHT: weights}).group_by(ID).aggregate([(WEIGHT, "sum")])
    order = [(f"{WEIGHT}_sum", "descending"), (ID, "ascending")]
    first = counted.take(pc.sort_indices(counted, sort_keys=order)[:_SHOWN])
    return dict(zip(first[ID].to_pylist(), first[f"{WEIGHT}_sum"].to_pylist(), strict=True))


def _first(ids: pa.Array) -> list[str]:
    return ids.take(pc.sort_indices(ids)[:_SHOWN]).to_pylist()


def _is_in(ids: pa.Array, among: pa.Array) -> np.ndarray:
    return pc.is_in(ids, value_set=among).to_numpy(zero_copy_only=False)
