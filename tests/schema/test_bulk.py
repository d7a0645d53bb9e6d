"""Stragglers by hand, in logs of several shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.bulk import DAY, Bulk, find_event_bulk

HOUR = 3600
JUNE = 1_717_200_000  # 2024-06-01T00:00:00Z
IN_2099 = 4_070_908_800
IN_1990 = 631_152_000
HOURLY = [JUNE + n * HOUR for n in range(700)]
USUAL = Bulk(JUNE, JUNE + 699 * HOUR + 1)


@pytest.mark.parametrize(
    "strays",
    [
        [],
        [IN_2099],
        [IN_1990],
        [IN_1990, IN_2099],
        [IN_2099, IN_2099 + DAY, IN_2099 - 9 * 365 * DAY],
        [IN_1990 + n * DAY for n in range(5)],
        [JUNE + 699 * HOUR + DAY + 1],
        [JUNE - DAY - 1],
    ],
)
def test_a_few_events_far_from_all_others_do_not_move_the_bulk(strays):
    assert find_event_bulk(np.array([*strays, *HOURLY])) == USUAL
    assert find_event_bulk(np.array([*HOURLY, *reversed(strays)])) == USUAL


def test_events_that_are_near_or_many_belong_to_the_bulk():
    next_day = JUNE + 699 * HOUR + DAY
    assert find_event_bulk(np.array([*HOURLY, next_day])) == Bulk(JUNE, next_day + 1)
    six = [IN_2099 + n for n in range(6)]
    assert find_event_bulk(np.array([*HOURLY, *six])) == Bulk(JUNE, IN_2099 + 6)


def test_one_event_in_a_thousand_may_be_a_straggler_of_a_large_log():
    log = np.concatenate([np.arange(9_991), np.full(9, IN_2099 - JUNE)]) + JUNE
    assert find_event_bulk(log) == Bulk(JUNE, JUNE + 9_991)
    more = np.concatenate([np.arange(9_989), np.full(11, IN_2099 - JUNE)]) + JUNE
    assert find_event_bulk(more) == Bulk(JUNE, IN_2099 + 1)


def test_a_gap_as_long_as_others_is_part_of_the_bulk():
    # Every third day: a gap of six days is as long as two usual ones, and one of seven is longer.
    sparse = [JUNE + 3 * DAY * n for n in range(40)]
    last = sparse[-1]
    assert find_event_bulk(np.array([*sparse, last + 6 * DAY])).end == last + 6 * DAY + 1
    assert find_event_bulk(np.array([*sparse, last + 6 * DAY + 1])).end == last + 1
    # Dates only, none at weekends.
    days = [JUNE + DAY * n for n in range(90) if (n + 5) % 7 < 5 for _ in range(20)]
    assert find_event_bulk(np.array(days)) == Bulk(days[0], days[-1] + 1)
    assert find_event_bulk(np.array([*days, IN_2099])) == Bulk(days[0], days[-1] + 1)


def test_one_day_alone_has_stragglers_too():
    assert find_event_bulk(np.array([JUNE] * 99 + [IN_2099])) == Bulk(JUNE, JUNE + 1)


def test_of_nine_events_none_is_a_straggler():
    assert find_event_bulk(np.array([*HOURLY[:8], IN_2099])) == Bulk(JUNE, IN_2099 + 1)
    assert find_event_bulk(np.array([*HOURLY[:9], IN_2099])) == Bulk(JUNE, JUNE + 8 * HOUR + 1)
    assert find_event_bulk(np.array([JUNE])) == Bulk(JUNE, JUNE + 1)


@given(st.lists(st.integers(0, 60 * DAY), min_size=1, max_size=80))
def test_at_most_a_tenth_at_either_end_are_stragglers(times):
    result = find_event_bulk(np.array(times))
    few = min(5, len(times) // 10)
    assert sum(time < result.begin for time in times) <= few
    assert sum(time >= result.end for time in times) <= few
    assert result.begin in times
    assert result.end - 1 in times
