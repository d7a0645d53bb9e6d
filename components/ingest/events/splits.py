"""The one global clock: at which moments valid and test begin."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

import apache_beam as beam
import numpy as np

from schema import bulk
from schema.bulk import DAY, Bulk
from schema.labels import Split

Histogram = tuple[np.ndarray, np.ndarray]
"""Different timestamps in order, and how many events each has: int64 [t], int64 [t]."""


class Clock(NamedTuple):
    """Seconds since epoch, UTC: history < t_train <= train < t_valid <= valid < t_test <= test."""

    t_valid: int
    t_test: int
    t_train: int = 0
    """0 where train reaches back to the first event."""


class Times(NamedTuple):
    """What the times of all events say."""

    clock: Clock | None
    """None where the split goes by no clock."""
    bulk: Bulk


def histogram(timestamps: np.ndarray) -> Histogram:
    """Of any number of timestamps."""
    times, counts = np.unique(timestamps, return_counts=True)
    return times.astype(np.int64), counts.astype(np.int64)


def clock(merged: Histogram, split: Split) -> Clock | None:
    """The cuts of a log. None where the split goes by no clock.

    Without an event they are all 0.
    """
    if split.kind == "last_item":
        return None
    if not len(merged[0]):
        return Clock(0, 0)
    return _by_days(merged, split) if split.kind == "window" else _by_fractions(merged, split)


def _by_fractions(merged: Histogram, split: Split) -> Clock:
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


def _by_days(merged: Histogram, split: Split) -> Clock:
    """Whole days, UTC, counted back from the midnight after the last event of the log's bulk."""
    # The configuration has all three where the kind is `window`.
    train, valid, test = (
        days or 0 for days in (split.train_days, split.valid_days, split.test_days)
    )
    end = (bulk.bulk(*merged).end - 1) // DAY + 1
    t_test, t_valid = (end - test) * DAY, (end - test - valid) * DAY
    return Clock(t_valid, t_test, max(0, t_valid - train * DAY))


class TimesOf(beam.CombineFn):
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
        return [_added_up(parts)] if parts and added > len(parts[0][0]) else parts

    def extract_output(self, accumulator: list[Histogram]) -> Times:
        """The cuts, and the bulk; of no event, zeros."""
        merged = _added_up(accumulator)
        if not len(merged[0]):
            return Times(clock(merged, self._split), Bulk(0, 0))
        main = bulk.bulk(*merged)
        if self._within_bulk:
            merged = _between(merged, main)
        return Times(clock(merged, self._split), main)


def _between(merged: Histogram, main: Bulk) -> Histogram:
    times, counts = merged
    inside = (times >= main.begin) & (times < main.end)
    return times[inside], counts[inside]


def _added_up(parts: list[Histogram]) -> Histogram:
    """One histogram, in which each timestamp stands once."""
    nothing = np.zeros(0, np.int64)
    times = np.concatenate([nothing, *(times for times, _ in parts)])
    counts = np.concatenate([nothing, *(counts for _, counts in parts)])
    order = np.argsort(times, kind="stable")  # which is quick where long runs are in order
    times, counts = times[order], counts[order]
    first = np.flatnonzero(np.diff(times, prepend=times[:1] - 1))
    return times[first], np.add.reduceat(counts, first) if len(first) else counts
