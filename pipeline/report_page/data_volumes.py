"""How much there is: events by day, by item and by user, counted from the stored histories.

Read in batches of columns: memory grows with days, items and lengths of histories, never with
events, and no event becomes a Python object.
"""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.output import counts, histories
from schema import timeline

_USERS_AT_A_TIME = 8192
_DAY = 86_400
_CUTS = {"t_train": "train begins", "t_valid": "valid begins", "t_test": "test begins"}


@dataclasses.dataclass(frozen=True)
class Volumes:
    """Accepted events of all splits."""

    days: np.ndarray
    """[d] days since epoch, UTC, that have an event, in order; within the bulk of the log (see
    `schema.bulk`), beside which one event of 2099 would leave nothing to see."""
    events: np.ndarray
    """[d] events of each."""
    per_item: np.ndarray
    """Events of each item that has one, most first."""
    per_user: np.ndarray
    """Events of each user, most first."""
    cuts: dict[str, int]
    """What begins -> seconds since epoch, UTC; empty where the split goes by no clock."""


def read(histories_uri: str, interactions_uri: str) -> Volumes:
    """Counts all histories; the cuts are those of the run that wrote them."""
    days, items, lengths = _Tally(), _Tally(), _Tally()
    for table in histories.read_tables(histories_uri, _USERS_AT_A_TIME):
        timestamps = pc.list_flatten(table[timeline.TIMESTAMPS]).to_numpy()
        days.add(pa.array(timestamps // _DAY))
        items.add(pc.list_flatten(table[timeline.ITEM_IDS]))
        lengths.add(pc.list_value_length(table[timeline.ITEM_IDS]))
    order = np.argsort(days.values())
    lengths_of_users = np.repeat(lengths.values(), lengths.times())
    totals = counts.load(interactions_uri).totals
    order = order[_in_bulk(days.values()[order], totals)]
    return Volumes(
        days=days.values()[order],
        events=days.times()[order],
        per_item=np.sort(items.times())[::-1],
        per_user=np.sort(lengths_of_users)[::-1],
        cuts={said: totals[key] for key, said in _CUTS.items() if totals.get(key)},
    )


def _in_bulk(days: np.ndarray, totals: dict[str, int]) -> np.ndarray:
    """[d] bool; all days where the run did not say where the bulk is."""
    if "t_end" not in totals:
        return np.ones(len(days), bool)
    first, last = totals["t_begin"] // _DAY, (totals["t_end"] - 1) // _DAY
    return (days >= first) & (days <= last)


class _Tally:
    """How often each value was seen."""

    def __init__(self) -> None:
        self._counted: pa.Table | None = None

    def add(self, values: pa.Array | pa.ChunkedArray) -> None:
        """Counts `values`, of one type in all calls."""
        new = pa.table({"value": values, "times": np.ones(len(values), np.int64)})
        parts = [new] if self._counted is None else [self._counted, new]
        summed = pa.concat_tables(parts).group_by("value").aggregate([("times", "sum")])
        self._counted = summed.select(["value", "times_sum"]).rename_columns(["value", "times"])

    def values(self) -> np.ndarray:
        """The different values."""
        return self._column("value")

    def times(self) -> np.ndarray:
        """Of each of the `values`."""
        return self._column("times")

    def _column(self, name: str) -> np.ndarray:
        nothing = np.zeros(0, np.int64)
        return nothing if self._counted is None else self._counted[name].to_numpy()
