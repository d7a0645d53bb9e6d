"""Cuts compared with a plain sort and with the reference implementation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.ingest.events.splits import Clock, CombineTimes, count_times, find_cuts
from schema.split import Split

TENTHS = Split(valid_fraction=0.1, test_fraction=0.1)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=120), st.integers(1, 5))
def test_the_cut_is_the_event_at_the_index_of_the_sorted_log(times, shards):
    combine = CombineTimes(TENTHS)
    merged = combine.create_accumulator()
    for shard in range(shards):
        merged = combine.add_input(merged, count_times(np.array(times[shard::shards], np.int64)))
    ordered = sorted(times)
    expected = Clock(ordered[int(len(times) * 0.8)], ordered[int(len(times) * 0.9)])
    assert combine.extract_output(merged).clock == expected


def test_indices_equal_those_of_the_reference_for_any_size():
    for n in [*range(1, 3000), 99_999, 100_000, 1_000_000]:
        result = find_cuts((np.arange(n), np.ones(n, np.int64)), TENTHS)
        assert result == Clock(int(n * 0.8), int(n * 0.9)), n


@pytest.mark.parametrize(("valid", "test", "cuts"), [(0.3, 0.3, (4, 7)), (0.05, 0.2, (7, 8))])
def test_fractions_are_exact_decimals(valid, test, cuts):
    # In binary 1 - 0.3 - 0.3 is a little more than 0.4, and 1 - 0.3 a little less than 0.7.
    split = Split(valid_fraction=valid, test_fraction=test)
    assert find_cuts((np.arange(10), np.ones(10, np.int64)), split) == Clock(*cuts)


def test_a_log_without_events_has_cuts_of_zero():
    assert CombineTimes(TENTHS).extract_output([]) == (Clock(0, 0), (0, 0))
    assert find_cuts(count_times(np.zeros(0, np.int64)), TENTHS) == Clock(0, 0)


def test_a_window_counts_whole_days_back_from_the_midnight_after_the_last_event():
    # 2020-09-13T12:26:40Z is the last event, so the log ends with 13 September.
    split = Split(kind="window", train_days=7, valid_days=2, test_days=1)
    noon = 1_600_000_000
    midnight = 1_599_955_200
    result = find_cuts(count_times(np.array([noon - 40 * 86_400, noon])), split)
    assert result == Clock(midnight - 2 * 86_400, midnight, midnight - 9 * 86_400)
    # The last event at midnight itself belongs to the day that it begins.
    assert find_cuts(count_times(np.array([midnight])), split) == result


HOURLY = 1_600_000_000 + 3600 * np.arange(240)
IN_2099 = 4_070_908_800


def test_a_window_ends_with_the_bulk_of_the_log():
    split = Split(kind="window", train_days=7, valid_days=2, test_days=1)
    expected = find_cuts(count_times(HOURLY), split)
    assert find_cuts(count_times(np.append(HOURLY, IN_2099)), split) == expected
    assert expected is not None
    assert expected.t_test == 1_600_000_000 + 239 * 3600 - 41_200  # the midnight before


@pytest.mark.parametrize(
    "split", [TENTHS, Split(kind="window", train_days=7, valid_days=2, test_days=1)]
)
def test_cuts_within_the_bulk_are_those_of_a_log_without_stragglers(split):
    # 60 stragglers of 60,240 events move a cut by fractions where they count.
    log = np.concatenate([np.repeat(HOURLY, 251), np.full(60, IN_2099)])
    result = CombineTimes(split, within_bulk=True).extract_output([count_times(log)])
    assert result.clock == find_cuts(count_times(np.repeat(HOURLY, 251)), split)
    assert result.bulk == (HOURLY[0], HOURLY[-1] + 1)
    assert CombineTimes(split).extract_output([count_times(log)]).bulk == result.bulk


def test_last_items_have_no_clock():
    assert find_cuts(count_times(np.array([1, 2, 3])), Split(kind="last_item")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "window"},
        {"kind": "window", "train_days": 7, "valid_days": 1},
        {"kind": "window", "train_days": 7, "valid_days": 1, "test_days": 0},
        {"kind": "clock", "test_days": 1},
        {"kind": "last_item", "train_days": 1},
        {"kind": "last_item", "test_fraction": 0.2},
    ],
)
def test_keys_that_do_not_fit_the_kind_are_refused(wrong):
    with pytest.raises(ValidationError):
        Split.model_validate(wrong)
