"""The protocol, on examples with explicit arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.simulator.ceiling import compute_scores, find_cut_time, select_test_queries


def _scorer(rows):
    table = np.array(rows, dtype=float)
    return lambda users, interacted: table[users]


def test_the_cut_is_the_event_at_nine_tenths():
    assert find_cut_time(np.arange(100, 120), 0.1) == 118
    assert find_cut_time(np.arange(100, 119), 0.1) == 117  # floor(19 * 0.9) = 17


def test_only_test_items_without_earlier_events_are_relevant():
    who = np.array([0, 0, 1, 0, 0, 1, 2])
    what = np.array([3, 4, 3, 3, 5, 3, 0])
    test = np.array([False, False, False, True, True, True, True])
    queries = select_test_queries(who, what, test, at_most=10)
    assert queries.users.tolist() == [0, 2]  # user 1 has only an item of the history
    assert queries.relevant.tolist() == [[0, 5], [1, 0]]
    assert queries.history.tolist() == [[0, 3], [0, 4]]


def test_a_thinned_query_keeps_the_ends_and_its_users_own_pairs():
    who = np.arange(5)
    queries = select_test_queries(who, who, np.ones(5, dtype=bool), at_most=3)
    assert queries.users.tolist() == [0, 2, 4]
    assert queries.relevant.tolist() == [[0, 0], [1, 2], [2, 4]]


def test_one_user_by_hand():
    # 12 items, ranked 0, 1, 2 …; item 0 is in the history, so item n has rank n; relevant are 2 and
    # 11.
    who, what = np.array([0, 0, 0]), np.array([0, 2, 11])
    queries = select_test_queries(who, what, np.array([False, True, True]), at_most=10)
    scores = compute_scores(queries, 12, _scorer([np.arange(12, 0, -1)]))
    ideal = 1 + 1 / math.log2(3)
    assert scores["recall@10"] == pytest.approx(1 / 2)
    assert scores["recall@100"] == pytest.approx(1.0)
    assert scores["ndcg@10"] == pytest.approx((1 / math.log2(3)) / ideal)


def test_users_have_equal_weights():
    # User 0 has one of one at rank 1, user 1 none of two.
    who, what = np.array([0, 1, 1]), np.array([0, 12, 13])
    queries = select_test_queries(who, what, np.ones(3, dtype=bool), at_most=10)
    scores = compute_scores(queries, 14, _scorer([np.arange(14, 0, -1)] * 2))
    assert scores["recall@10"] == pytest.approx(0.5)
    assert scores["ndcg@10"] == pytest.approx(0.5)


def test_the_ideal_stops_at_ten():
    # 11 relevant items, ten of them ranked first: the best list of ten positions.
    what = np.arange(11)
    queries = select_test_queries(
        np.zeros(11, dtype=int), what, np.ones(11, dtype=bool), at_most=10
    )
    scores = compute_scores(queries, 20, _scorer([np.arange(20, 0, -1)]))
    assert scores["ndcg@10"] == pytest.approx(1.0)
    assert scores["recall@10"] == pytest.approx(10 / 11)


def test_without_queries_the_metrics_are_zero():
    queries = select_test_queries(np.array([0]), np.array([0]), np.array([False]), at_most=10)
    assert compute_scores(queries, 5, _scorer([[0] * 5])) == {
        "recall@10": 0.0,
        "ndcg@10": 0.0,
        "recall@100": 0.0,
    }


@given(data=st.data())
def test_a_ranking_that_puts_the_relevant_first_has_the_whole_ndcg(data):
    items = data.draw(st.integers(2, 40))
    relevant = data.draw(st.sets(st.integers(0, items - 1), min_size=1))
    what = np.array(sorted(relevant))
    queries = select_test_queries(
        np.zeros(len(what), dtype=int), what, np.ones(len(what), dtype=bool), at_most=10
    )
    wanted = np.zeros(items)
    wanted[what] = 1.0
    scores = compute_scores(queries, items, _scorer([wanted]))
    assert scores["ndcg@10"] == pytest.approx(1.0)
    assert scores["recall@100"] == pytest.approx(1.0)
