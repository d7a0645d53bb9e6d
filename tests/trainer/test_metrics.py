import math

import numpy as np
import pytest

from trainer import metrics

LISTS = np.array([[5, 3, 1, 2], [4, 2, 0, 0], [1, 2, 3, 4]])
ANSWERS = [np.array([3, 2, 9]), np.array([4]), np.array([7])]


def test_hits_say_which_places_hold_an_answer():
    assert metrics.hits(LISTS, ANSWERS).tolist() == [
        [False, True, False, True],
        [True, False, False, False],
        [False, False, False, False],
    ]


def test_recall_is_the_share_of_the_answers_found():
    hit = metrics.hits(LISTS, ANSWERS)
    count = np.array([3, 1, 1])
    np.testing.assert_allclose(metrics.recall(hit, count, 2), [1 / 3, 1, 0])
    np.testing.assert_allclose(metrics.recall(hit, count, 4), [2 / 3, 1, 0])
    np.testing.assert_allclose(metrics.recall(hit, count, 100), [2 / 3, 1, 0])


def test_ndcg_by_hand():
    hit = metrics.hits(LISTS, ANSWERS)
    count = np.array([3, 1, 1])
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    gained = 1 / math.log2(3) + 1 / math.log2(5)
    np.testing.assert_allclose(metrics.ndcg(hit, count, 4), [gained / ideal, 1, 0])
    # of the first two places only the second is a hit, and the ideal has two hits there
    np.testing.assert_allclose(
        metrics.ndcg(hit, count, 2), [(1 / math.log2(3)) / (1 + 1 / math.log2(3)), 1, 0]
    )


def test_ndcg_of_lists_shorter_than_k_keeps_the_ideal_of_k():
    hit = np.array([[True, False]])
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    np.testing.assert_allclose(metrics.ndcg(hit, np.array([3]), 10), [1 / ideal])


def test_coverage_counts_items_and_not_the_places_left_empty():
    assert metrics.coverage(LISTS, 2, 10) == pytest.approx(5 / 10)  # 1 2 3 4 5
    assert metrics.coverage(np.array([[6, 0, 0]]), 3, 10) == pytest.approx(1 / 10)


def test_summary_averages_over_users():
    found = metrics.summary(LISTS, ANSWERS, 10)
    assert found["recall@10"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found["recall@100"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found["coverage@10"] == pytest.approx(5 / 10)
