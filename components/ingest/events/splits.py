"""Where splits begin: at the cuts of one global clock, or at each user's last events."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.ingest.events.log import find_user_starts
from components.ingest.fields.table_spec import TIMESTAMP
from schema import timeline
from schema.bulk import DAY, Bulk, find_bulk
from schema.dataset import Split

Histogram = tuple[np.ndarray, np.ndarray]
"""Different timestamps in order, and how many events each has: int64 [t], int64 [t]."""
_FEWEST_FOR_LAST_ITEM = 3


class Clock(NamedTuple):
    """Seconds since epoch, UTC: history < t_train <= train < t_valid <= valid < t_test <= test."""

    t_valid: int
    t_test: int
    t_train: int = 0
    """0 where train reaches back to the first event."""


class LogTimes(NamedTuple):
    """What the times of all events say."""

    clock: Clock | None
    """None where the split goes by no clock."""
    bulk: Bulk


def count_times(timestamps: np.ndarray) -> Histogram:
    """Of any number of timestamps."""
    times, counts = np.unique(timestamps, return_counts=True)
    return times.astype(np.int64), counts.astype(np.int64)


def find_cuts(merged: Histogram, split: Split) -> Clock | None:
    """The cuts of a log. None where the split goes by no clock.

    Without an event they are all 0.
    """
    if split.kind == "last_item":
        return None
    if not len(merged[0]):
        return Clock(0, 0)
    return (
        _cut_by_days(merged, split) if split.kind == "window" else _cut_by_fractions(merged, split)
    )


def _cut_by_fractions(merged: Histogram, split: Split) -> Clock:
    """The timestamps of the events at index floor(n × (1 − valid − test)) and
    floor(n × (1 − test)) of all n events in order of time. Events of that very moment fall into the
    later part.

    The fractions are taken as they are written (0.1 is a tenth), so that no index is off by one.
    """
    times, counts = merged
    ends = np.cumsum(counts)
    valid, test = Fraction(str(split.valid_fraction)), Fraction(str(split.test_fraction))
    indices = [int(int(ends[-1]) * share) for share in (1 - valid - test, 1 - test)]
    t_valid, t_test = times[np.searchsorted(ends, indices, side="right")]
    return Clock(int(t_valid), int(t_test))


def _cut_by_days(merged: Histogram, split: Split) -> Clock:
    """Whole days, UTC, counted back from the midnight after the last event of the log's bulk."""
    # The configuration has all three where the kind is `window`.
    train, valid, test = (
        days or 0 for days in (split.train_days, split.valid_days, split.test_days)
    )
    end = (find_bulk(*merged).end - 1) // DAY + 1
    t_test, t_valid = (end - test) * DAY, (end - test - valid) * DAY
    return Clock(t_valid, t_test, max(0, t_valid - train * DAY))


class CombineTimes(beam.CombineFn):
    """Histograms of shards -> Times. Accumulators grow with the log's span, not its events.

    `within_bulk`: the cuts are those of the log's bulk alone.
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
        """Adds a shard."""
        return self.merge_accumulators([mutable_accumulator, [element]])

    def merge_accumulators(self, accumulators: Iterable[list[Histogram]]) -> list[Histogram]:
        """All histograms; added up where those behind the first outgrow it.

        To add up each at once would cost the log's span again for each shard.
        """
        parts = [part for accumulator in accumulators for part in accumulator]
        added = sum(len(times) for times, _ in parts[1:])
        return [_sum_histograms(parts)] if parts and added > len(parts[0][0]) else parts

    def extract_output(self, accumulator: list[Histogram]) -> LogTimes:
        """The cuts, and the bulk; of no event, zeros."""
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
    """One histogram, in which each timestamp stands once."""
    nothing = np.zeros(0, np.int64)
    times = np.concatenate([nothing, *(times for times, _ in parts)])
    counts = np.concatenate([nothing, *(counts for _, counts in parts)])
    order = np.argsort(times, kind="stable")  # which is quick where long runs are in order
    times, counts = times[order], counts[order]
    first = np.flatnonzero(np.diff(times, prepend=times[:1] - 1))
    return times[first], np.add.reduceat(counts, first) if len(first) else counts


class Edges(NamedTuple):
    """Positions in a shard's events, int64 [users] each: first <= train <= … <= stop.

    Events from `first` to `train` belong to no split: they are read as history.
    """

    first: np.ndarray
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    stop: np.ndarray

    def own(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Per user: first event of the split, and one past the last."""
        at = 1 + timeline.SPLITS.index(split)
        return self[at], self[at + 1]


def find_edges(events: pa.Table, clock: Clock | None) -> Edges:
    """Of `events` in order: by the clock, or by each user's last events where there is none."""
    users = find_user_starts(events)
    if clock is None:
        return _find_last_items(users)
    times = events[TIMESTAMP].to_numpy()
    train, valid, test = (
        _find_first(times, users, cut) for cut in (clock.t_train, clock.t_valid, clock.t_test)
    )
    return Edges(users[:-1], train, valid, test, users[1:])


def find_test_starts(times: np.ndarray, users: np.ndarray, t_test: int | None) -> np.ndarray:
    """Per user, the position of the first event of test: at `t_test` or later, or by each user's
    last events without it.

    `times` [e] ascend within a user; `users` [users + 1] as of `find_user_starts`, where a
    user may also have no event at all.
    """
    return _find_last_items(users).test if t_test is None else _find_first(times, users, t_test)


def _find_first(times: np.ndarray, users: np.ndarray, cut: int) -> np.ndarray:
    """Per user, the position of the first event at `cut` or later."""
    before = np.concatenate([[0], np.cumsum(times < cut)])
    return users[:-1] + before[users[1:]] - before[users[:-1]]


def _find_last_items(users: np.ndarray) -> Edges:
    """Leave-one-out, as next-item benchmarks do it (Kang and McAuley, SASRec, ICDM 2018): the last
    event is test, the one before it valid; a user of fewer than three events is train alone.
    """
    first, stop = users[:-1], users[1:]
    held_out = (stop - first >= _FEWEST_FOR_LAST_ITEM).astype(np.int64)
    return Edges(first, first, stop - 2 * held_out, stop - held_out, stop)
