import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.metrics.ranking import (
    average_metrics,
    compute_hit_rate,
    compute_ndcg,
    compute_recall,
    compute_reciprocal_rank,
    compute_user_metrics,
    find_hits,
    summarise_lists,
)

LISTS = np.array([[5, 3, 1, 2], [4, 2, 0, 0], [1, 2, 3, 4]])
ANSWERS = [np.array([3, 2, 9]), np.array([4]), np.array([7])]


def test_hits_mark_the_positions_of_relevant_items():
    assert find_hits(LISTS, ANSWERS).tolist() == [
        [False, True, False, True],
        [True, False, False, False],
        [False, False, False, False],
    ]


def test_recall_is_the_share_of_relevant_items_in_the_list():
    hit = find_hits(LISTS, ANSWERS)
    count = np.array([3, 1, 1])
    np.testing.assert_allclose(compute_recall(hit, count, 2), [1 / 3, 1, 0])
    np.testing.assert_allclose(compute_recall(hit, count, 4), [2 / 3, 1, 0])
    np.testing.assert_allclose(compute_recall(hit, count, 100), [2 / 3, 1, 0])


def test_ndcg_by_hand():
    hit = find_hits(LISTS, ANSWERS)
    count = np.array([3, 1, 1])
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    gained = 1 / math.log2(3) + 1 / math.log2(5)
    np.testing.assert_allclose(compute_ndcg(hit, count, 4), [gained / ideal, 1, 0])
    # of the first two positions only the second is a hit, and the ideal has two hits there
    np.testing.assert_allclose(
        compute_ndcg(hit, count, 2), [(1 / math.log2(3)) / (1 + 1 / math.log2(3)), 1, 0]
    )


def test_ndcg_of_lists_shorter_than_k_keeps_the_ideal_of_k():
    hit = np.array([[True, False]])
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    np.testing.assert_allclose(compute_ndcg(hit, np.array([3]), 10), [1 / ideal])


def test_hit_rate_requires_one_relevant_item_in_the_first_k():
    hit = find_hits(LISTS, ANSWERS)
    assert compute_hit_rate(hit, 1).tolist() == [0, 1, 0]
    assert compute_hit_rate(hit, 2).tolist() == [1, 1, 0]
    assert compute_hit_rate(hit, 100).tolist() == [1, 1, 0]


def test_reciprocal_rank_is_that_of_the_first_hit_within_k():
    hit = np.array([[False, True, True], [False, False, True], [True, False, True]])
    assert compute_reciprocal_rank(hit, 1).tolist() == [0, 0, 1]
    assert compute_reciprocal_rank(hit, 2).tolist() == [1 / 2, 0, 1]
    assert compute_reciprocal_rank(hit, 100).tolist() == [1 / 2, 1 / 3, 1]


def test_per_user_has_every_metric_at_every_cutoff():
    user_metrics = compute_user_metrics(LISTS, ANSWERS, (1, 4))
    assert {
        name: values.tolist() for name, values in user_metrics.items() if "ndcg" not in name
    } == {
        "recall@1": [0, 1, 0],
        "hit_rate@1": [0, 1, 0],
        "mrr@1": [0, 1, 0],
        "recall@4": [2 / 3, 1, 0],
        "hit_rate@4": [1, 1, 0],
        "mrr@4": [1 / 2, 1, 0],
    }
    assert user_metrics["ndcg@1"].tolist() == [0, 1, 0]
    assert average_metrics(user_metrics)["mrr@4"] == pytest.approx((1 / 2 + 1) / 3)


@st.composite
def _lists_and_answers(draw):
    """One user: a list of distinct items of 1 … 30 and at least one relevant item."""
    ranked = draw(st.lists(st.integers(1, 30), unique=True, min_size=1, max_size=20))
    wanted = draw(st.lists(st.integers(1, 30), unique=True, min_size=1, max_size=20))
    return np.array([ranked]), [np.array(wanted)]


@given(_lists_and_answers(), st.integers(1, 25))
def test_metrics_are_between_0_and_1_and_agree_whether_there_is_a_hit(drawn, k):
    lists, relevant = drawn
    result = {
        name: values[0] for name, values in compute_user_metrics(lists, relevant, (k,)).items()
    }
    hit = result[f"hit_rate@{k}"]
    assert hit == bool(set(lists[0, :k].tolist()) & set(relevant[0].tolist()))
    for value in result.values():
        assert 0 <= value <= 1 + 1e-12
        assert (value > 0) == hit


def test_summary_averages_over_users():
    lists = summarise_lists(LISTS, ANSWERS, 10)
    assert lists == pytest.approx(
        {
            "recall@10": (2 / 3 + 1 + 0) / 3,
            # hits at 2 and 4 for three relevant items, at 1 for one, and none
            "ndcg@10": ((math.log(2, 3) + math.log(2, 5)) / (1.5 + math.log(2, 3)) + 1 + 0) / 3,
            "recall@100": (2 / 3 + 1 + 0) / 3,
            "coverage@10": 5 / 10,
        }
    )
