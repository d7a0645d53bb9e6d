"""Lists of a user's own items, counted by hand."""

import numpy as np
import pytest

from trainer.data.evaluation_queries import build_queries
from trainer.data.popularity import build_clock
from trainer.evaluation.baselines import rank_baselines
from trainer.evaluation.personal_frequency import rank_by_personal_frequency

COUNTS = np.array([0, 50, 40, 30, 20, 10])


@pytest.fixture
def log(timelines_of):
    """Before 10 ann has 3 and 5 twice, 5 last, then 4 once, and did not like 2; bob has nothing."""
    return timelines_of(
        [
            (b"ann", 1, [3, 5, 3, 2, 5, 4, 3, 3], [1, 2, 3, 4, 5, 6, 10, 11], 6),
            (b"bob", 2, [1], [12], 0),
        ],
        positive=[1, 1, 1, 0, 1, 1, 1, 1, 1],
    )


def test_own_items_come_by_count_then_by_recency_and_popular_ones_follow(log):
    lists = rank_by_personal_frequency(build_queries(log, 10, "allow"), COUNTS, 9)
    assert lists.tolist() == [[5, 3, 4, 1, 2, 0], [1, 2, 3, 4, 5, 0]]


def test_reminders_hold_items_of_the_history_alone(log):
    """An item that the user did not like is in the history too, and comes last."""
    lists = rank_by_personal_frequency(build_queries(log, 10, "only"), COUNTS, 5)
    assert lists.tolist() == [[5, 3, 4, 2, 0]]


def test_an_event_of_the_same_item_is_no_popularity_of_others(log):
    """However popular an item is, one event of one's own outweighs it."""
    lists = rank_by_personal_frequency(
        build_queries(log, 10, "allow"), np.array([0, 10**9, 1, 0, 0, 0]), 4
    )
    assert lists[0].tolist() == [5, 3, 4, 1]


@pytest.mark.parametrize(("repeats", "exists"), [("exclude", 0), ("allow", 1), ("only", 1)])
def test_it_is_a_baseline_where_repeats_are_not_excluded(log, repeats, exists):
    clock = build_clock([log], 6)
    found = rank_baselines(clock, build_queries(log, 10, repeats), recent_days=3, k=3)
    assert ("personal_frequency" in found) == exists
    if repeats == "only":
        for lists in found.values():
            assert set(lists[0].tolist()) <= {2, 3, 4, 5}
