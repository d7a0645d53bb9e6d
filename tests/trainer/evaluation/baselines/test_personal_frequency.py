"""Lists of a user's own items, counted by hand."""

import numpy as np
import pytest

from trainer.data.evaluation_queries import build_queries
from trainer.data.popularity import build_clock
from trainer.evaluation.baselines.personal_frequency import rank_by_personal_frequency
from trainer.evaluation.baselines.rank import rank_baselines

COUNTS = np.array([0, 50, 40, 30, 20, 10])


@pytest.fixture
def log(timelines_of):
    """Before 10, ann has 3 and 5 twice, 5 last, 4 once, and a negative event of 2; bob has
    nothing.
    """
    return timelines_of(
        [
            (b"ann", 1, [3, 5, 3, 2, 5, 4, 3, 3], [1, 2, 3, 4, 5, 6, 10, 11], 6),
            (b"bob", 2, [1], [12], 0),
        ],
        positive=[1, 1, 1, 0, 1, 1, 1, 1, 1],
    )


def test_own_items_are_sorted_by_count_then_recency_and_popular_ones_follow(log):
    lists = rank_by_personal_frequency(build_queries(log, 10, "allow"), COUNTS, 9)
    assert lists.tolist() == [[5, 3, 4, 1, 2, 0], [1, 2, 3, 4, 5, 0]]


def test_reminders_are_only_items_of_the_history(log):
    """An item of a negative event is part of the history too, and comes last."""
    lists = rank_by_personal_frequency(build_queries(log, 10, "only"), COUNTS, 5)
    assert lists.tolist() == [[5, 3, 4, 2, 0]]


def test_an_event_of_an_item_is_not_popularity_of_others(log):
    """One event of the user outweighs any popularity."""
    lists = rank_by_personal_frequency(
        build_queries(log, 10, "allow"), np.array([0, 10**9, 1, 0, 0, 0]), 4
    )
    assert lists[0].tolist() == [5, 3, 4, 1]


@pytest.mark.parametrize(("repeats", "exists"), [("exclude", 0), ("allow", 1), ("only", 1)])
def test_it_is_a_baseline_if_repeats_are_not_excluded(log, repeats, exists):
    clock = build_clock([log], 6)
    result = rank_baselines(clock, build_queries(log, 10, repeats), recent_days=3, k=3)
    assert ("personal_frequency" in result) == exists
    if repeats == "only":
        for lists in result.values():
            assert set(lists[0].tolist()) <= {2, 3, 4, 5}
