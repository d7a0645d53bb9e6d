import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.metrics.beyond_accuracy import (
    ItemStatistics,
    compute_beyond_accuracy,
    compute_beyond_accuracy_intervals,
    compute_coverage,
    compute_diversity,
    compute_gini,
    compute_head_share,
    compute_novelty,
    find_head_items,
)

# The first two positions hold 1 three times, 2 and 3.
LISTS = np.array([[1, 2, 9], [1, 0, 0], [1, 3, 9]])


def test_coverage_does_not_count_empty_positions():
    assert compute_coverage(LISTS, 2, 10) == pytest.approx(3 / 10)
    assert compute_coverage(np.array([[6, 0, 0]]), 3, 10) == pytest.approx(1 / 10)


def test_novelty_is_the_mean_of_bits_over_filled_positions():
    # log2 of 4/4 three times, of 4/2 and, for an item that no user consumed, of 4/1
    user_counts = np.array([7, 3, 1, 0, 0, 0, 0, 0, 0, 0])
    assert compute_novelty(LISTS, 2, user_counts, users=3) == pytest.approx((1 + 2) / 5)


def test_diversity_by_hand():
    vectors = np.array([[9.0, 9.0], [2.0, 0.0], [0.0, 3.0], [-1.0, 0.0], [0.0, 0.0]])
    lists = np.array([[1, 2, 3], [1, 0, 0], [1, 4, 0]])
    # cosines 0, -1, 0; no pair; 0 with the vector of zeros
    expected = ((1 + 2 + 1) / 3 + 1) / 2
    assert compute_diversity(lists, 3, vectors) == pytest.approx(expected)
    assert compute_diversity(lists, 1, vectors) is None
    alike = np.array([[0.0], [1.0], [5.0]])
    assert compute_diversity(np.array([[1, 2]]), 2, alike) == pytest.approx(0)


def test_diversity_of_more_users_than_one_block():
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    lists = np.array([[1, 2]] * 300 + [[1, 3]] * 100)  # 1 and 0
    assert compute_diversity(lists, 2, vectors) == pytest.approx(3 / 4)


def test_the_head_is_the_most_popular_share_and_at_least_one_item():
    events = np.array([99, 3, 5, 5, 0])
    assert find_head_items(events).tolist() == [2]
    assert find_head_items(events, 0.75).tolist() == [2, 3, 1]
    assert compute_head_share(LISTS, 2, np.array([1, 7])) == pytest.approx(3 / 5)


def test_gini_by_hand():
    # 0, 1, 1, 3 times: mean absolute difference 18 / 16 over twice the mean 5 / 4
    assert compute_gini(LISTS, 2, 4) == pytest.approx(18 / 16 / (2 * 5 / 4))


def test_gini_of_equal_and_of_one():
    assert compute_gini(np.array([[1, 2], [3, 4]]), 2, 4) == pytest.approx(0)
    assert compute_gini(np.array([[3], [3]]), 1, 4) == pytest.approx(1 - 1 / 4)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=40))
def test_gini_is_the_relative_mean_absolute_difference(shown):
    counts = np.bincount(shown, minlength=9)[1:]
    expected = np.abs(counts[:, None] - counts[None]).mean() / (2 * counts.mean())
    gini = compute_gini(np.array(shown)[:, None], 1, 8)
    assert gini == pytest.approx(expected, abs=1e-12)


def test_all_of_them_by_name():
    item_statistics = ItemStatistics(
        events=np.array([0, 3, 2, 1, 0]),
        user_counts=np.array([0, 3, 1, 0, 0]),
        users=3,
        vectors=np.array([[0.0], [1.0], [-1.0], [1.0], [1.0]]),
    )
    lists = np.array([[1, 2], [1, 0], [1, 3]])
    assert compute_beyond_accuracy(lists, item_statistics, 2) == pytest.approx(
        {
            "coverage@2": 3 / 4,
            "novelty@2": 3 / 5,
            "diversity@2": (2 + 0) / 2,
            "head_share@2": 3 / 5,
            "gini@2": 9 / 20,
        }
    )
    assert "diversity@1" not in compute_beyond_accuracy(lists, item_statistics, 1)


def build_statistics(user_counts: list[int], users: int, vectors: np.ndarray) -> ItemStatistics:
    return ItemStatistics(np.array(user_counts), np.array(user_counts), users, vectors)


def test_intervals_draw_users():
    """Of 100 users, half are shown item 1, which all consumed, half item 2, which no user
    consumed.
    """
    lists = np.array([[1], [2]] * 50)
    beyond_accuracy_intervals = compute_beyond_accuracy_intervals(
        lists, build_statistics([0, 3, 0], 3, np.eye(3)), seed=1
    )
    half = 1.96 * 0.5 / 100**0.5
    for name, width in (("novelty@10", 2.0), ("head_share@10", 1.0)):  # 0 or 2 bits, 1 or 0
        interval = beyond_accuracy_intervals[name]
        assert interval.value == pytest.approx(width / 2)
        assert interval.low == pytest.approx(width * (0.5 - half), abs=0.15 * width * half)
        assert interval.high == pytest.approx(width * (0.5 + half), abs=0.15 * width * half)
    assert beyond_accuracy_intervals.keys() == {"novelty@10", "head_share@10"}  # no list has a pair


@settings(max_examples=25)
@given(
    st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=20).filter(
        np.any
    )
)
def test_an_interval_is_around_the_very_value_that_is_measured(rows):
    lists = -np.sort(-np.array(rows), axis=1)  # empty positions at the end
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 2.0]])
    facts = build_statistics([0, 9, 4, 1, 0], 9, vectors)
    beyond_accuracy = compute_beyond_accuracy(lists, facts, 3)
    for name, interval in compute_beyond_accuracy_intervals(lists, facts, 1, 3).items():
        assert interval.value == pytest.approx(beyond_accuracy[name])
