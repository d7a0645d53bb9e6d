"""Boundaries of the splits: cuts of one global clock, the last events of each user, or the splits
that events have.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.ingest.events.log import find_user_starts
from components.ingest.fields.table_spec import SPLIT, TIMESTAMP
from schema import timeline
from schema.bulk import DAY, Bulk, find_bulk
from schema.split import Split

Histogram = tuple[np.ndarray, np.ndarray]
"""Distinct timestamps, ascending, and the number of events at each: int64 [t], int64 [t]."""
_FEWEST_FOR_LAST_ITEM = 3


class Clock(NamedTuple):
    """Seconds since epoch, UTC: history < t_train <= train < t_valid <= valid < t_test <= test."""

    t_valid: int
    t_test: int
    t_train: int = 0
    """0 if train begins with the first event."""


class LogTimes(NamedTuple):
    """The cuts and the bulk of a log."""

    clock: Clock | None
    """None if the split uses no clock."""
    bulk: Bulk


def count_times(timestamps: np.ndarray) -> Histogram:
    """Returns the histogram of `timestamps` [n]."""
    times, counts = np.unique(timestamps, return_counts=True)
    return times.astype(np.int64), counts.astype(np.int64)


def find_cuts(merged: Histogram, split: Split) -> Clock | None:
    """Returns the cuts of a log; None if the split uses no clock. Without events all cuts are 0."""
    if not split.has_clock:
        return None
    if not len(merged[0]):
        return Clock(0, 0)
    return (
        _cut_by_days(merged, split) if split.kind == "window" else _cut_by_fractions(merged, split)
    )


def _cut_by_fractions(merged: Histogram, split: Split) -> Clock:
    """Cuts at the timestamps of the events at index floor(n × (1 − valid − test)) and
    floor(n × (1 − test)) of all n events in time order. Events at a cut belong to the later split.

    The fractions are exact decimals (0.1 is a tenth), to avoid an index that is off by one.
    """
    times, counts = merged
    ends = np.cumsum(counts)
    valid, test = Fraction(str(split.valid_fraction)), Fraction(str(split.test_fraction))
    indices = [int(int(ends[-1]) * share) for share in (1 - valid - test, 1 - test)]
    t_valid, t_test = times[np.searchsorted(ends, indices, side="right")]
    return Clock(int(t_valid), int(t_test))


def _cut_by_days(merged: Histogram, split: Split) -> Clock:
    """Cuts at midnights, UTC, counted back from the one after the last event of the log's bulk."""
    # `schema.dataset.Split` requires all three for the kind `window`.
    train, valid, test = (
        days or 0 for days in (split.train_days, split.valid_days, split.test_days)
    )
    end = (find_bulk(*merged).end - 1) // DAY + 1
    t_test, t_valid = (end - test) * DAY, (end - test - valid) * DAY
    return Clock(t_valid, t_test, max(0, t_valid - train * DAY))


class CombineTimes(beam.CombineFn):
    """Histograms of shards -> LogTimes. The size of an accumulator depends on the number of
    distinct timestamps, not of events.

    `within_bulk`: whether only events of the log's bulk determine the cuts.
    """

    def __init__(self, split: Split, within_bulk: bool = False) -> None:
        super().__init__()
        self._split = split
        self._within_bulk = within_bulk

    def create_accumulator(self) -> list[Histogram]:
        """No events."""
        return []

    def add_input(
        self, mutable_accumulator: list[Histogram], element: Histogram
    ) -> list[Histogram]:
        """Adds the histogram of a shard."""
        return self.merge_accumulators([mutable_accumulator, [element]])

    def merge_accumulators(self, accumulators: Iterable[list[Histogram]]) -> list[Histogram]:
        """Collects the histograms, and sums them when the others are larger than the first.

        Summing after each shard would process the large first histogram once per shard.
        """
        parts = [part for accumulator in accumulators for part in accumulator]
        added = sum(len(times) for times, _ in parts[1:])
        return [_sum_histograms(parts)] if parts and added > len(parts[0][0]) else parts

    def extract_output(self, accumulator: list[Histogram]) -> LogTimes:
        """Returns the cuts and the bulk; zeros if there are no events."""
        merged = _sum_histograms(accumulator)
        if not len(merged[0]):
            return LogTimes(find_cuts(merged, self._split), Bulk(0, 0))
        main = find_bulk(*merged)
        if self._within_bulk:
            merged = _restrict_to_bulk(merged, main)
        return LogTimes(find_cuts(merged, self._split), main)


def _restrict_to_bulk(merged: Histogram, main: Bulk) -> Histogram:
    times, counts = merged
    inside = (times >= main.begin) & (times < main.end)
    return times[inside], counts[inside]


def _sum_histograms(parts: list[Histogram]) -> Histogram:
    """The sum of the histograms."""
    empty = np.zeros(0, np.int64)
    times = np.concatenate([empty, *(times for times, _ in parts)])
    counts = np.concatenate([empty, *(counts for _, counts in parts)])
    order = np.argsort(times, kind="stable")  # this sort is fast for sorted runs
    times, counts = times[order], counts[order]
    first = np.flatnonzero(np.diff(times, prepend=times[:1] - 1))
    return times[first], np.add.reduceat(counts, first) if len(first) else counts


class Edges(NamedTuple):
    """Positions in a shard's events, int64 [users] each: first <= train <= … <= stop.

    Events from `first` to `train` belong to no split and are only history.
    """

    first: np.ndarray
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    stop: np.ndarray

    def own(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns, for each user, the position of the split's first event and one past its last."""
        at = 1 + timeline.SPLITS.index(split)
        return self[at], self[at + 1]


def find_edges(events: pa.Table, clock: Clock | None) -> Edges:
    """Finds the edges of sorted `events`: by their column SPLIT if they have one, else by the
    clock, or by each user's last events without a clock.
    """
    users = find_user_starts(events)
    if SPLIT in events.column_names:
        numbers = events[SPLIT].to_numpy()
        valid, test = (_find_first(numbers, users, at) for at in (1, 2))
        return Edges(users[:-1], users[:-1], valid, test, users[1:])
    if clock is None:
        return _find_last_items(users)
    times = events[TIMESTAMP].to_numpy()
    train, valid, test = (
        _find_first(times, users, cut) for cut in (clock.t_train, clock.t_valid, clock.t_test)
    )
    return Edges(users[:-1], train, valid, test, users[1:])


def _find_first(values: np.ndarray, users: np.ndarray, cut: int) -> np.ndarray:
    """For each user, the position of the first event with `cut` or more; values ascend."""
    before = np.concatenate([[0], np.cumsum(values < cut)])
    return users[:-1] + before[users[1:]] - before[users[:-1]]


def _find_last_items(users: np.ndarray) -> Edges:
    """Leave-one-out as in next-item benchmarks (Kang and McAuley, SASRec, ICDM 2018): the last
    event is test, the one before it valid; all events of a user with fewer than three are train.
    """
    first, stop = users[:-1], users[1:]
    held_out = (stop - first >= _FEWEST_FOR_LAST_ITEM).astype(np.int64)
    return Edges(first, first, stop - 2 * held_out, stop - held_out, stop)
