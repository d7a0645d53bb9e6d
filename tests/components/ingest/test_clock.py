"""The cuts against a plain sort, and against the referee's arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.clock import Clock, ClockOf, clock, histogram
from schema.labels import Split

TENTHS = Split(valid_fraction=0.1, test_fraction=0.1)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=120), st.integers(1, 5))
def test_is_the_event_at_the_index_of_the_sorted_log(times, shards):
    combine = ClockOf(TENTHS)
    merged = combine.create_accumulator()
    for shard in range(shards):
        merged = combine.add_input(merged, histogram(np.array(times[shard::shards], np.int64)))
    ordered = sorted(times)
    expected = Clock(ordered[int(len(times) * 0.8)], ordered[int(len(times) * 0.9)])
    assert combine.extract_output(merged) == expected


def test_indices_are_the_referees_for_any_size():
    for n in [*range(1, 3000), 99_999, 100_000, 1_000_000]:
        found = clock((np.arange(n), np.ones(n, np.int64)), TENTHS)
        assert found == (int(n * 0.8), int(n * 0.9)), n


@pytest.mark.parametrize(("valid", "test", "cuts"), [(0.3, 0.3, (4, 7)), (0.05, 0.2, (7, 8))])
def test_fractions_are_taken_as_written(valid, test, cuts):
    # In binary 1 - 0.3 - 0.3 is a little more than 0.4, and 1 - 0.3 a little less than 0.7.
    split = Split(valid_fraction=valid, test_fraction=test)
    assert clock((np.arange(10), np.ones(10, np.int64)), split) == cuts


def test_no_event_at_all():
    assert clock(histogram(np.zeros(0, np.int64)), TENTHS) == (0, 0)
