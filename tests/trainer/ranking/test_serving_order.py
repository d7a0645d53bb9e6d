import json

import numpy as np
import pytest

from trainer.data.evaluation_queries import build_queries
from trainer.metrics.confidence import Difference
from trainer.ranking.serving_order import (
    OrderedLists,
    RankingVerdict,
    build_repeated_queries,
    compare_orders,
    read_serving_order,
    write_verdict,
)


def _build_queries(timelines_of, users):
    """Each user consumes item 1 after the cut, and nothing before it."""
    rows = [(f"u{n}".encode(), n + 1, [1], [10], 0) for n in range(users)]
    return build_queries(timelines_of(rows), 10)


def _lists(positions):
    """Lists [q, 100] with item 1 at the given positions, counted from 1, and other items
    elsewhere.
    """
    lists = np.tile(np.arange(2, 102), (len(positions), 1))
    lists[np.arange(len(positions)), np.array(positions) - 1] = 1
    return lists


def test_ndcg_of_both_orders_by_hand(timelines_of):
    """At position 2 the gain is 1 / log2(3), at position 4 1 / log2(5) of an ideal 1."""
    queries = _build_queries(timelines_of, 2)
    orders = compare_orders([OrderedLists(queries, _lists([1, 2]), _lists([2, 4]))])
    assert orders.ranking == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert orders.retrieval == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / 2)
    assert orders.difference.value == pytest.approx(orders.ranking - orders.retrieval)
    assert (orders.difference.users, orders.difference.verdict) == (2, "too few users")


@pytest.mark.parametrize(
    ("ours", "theirs", "order", "verdict"),
    [
        ([1] * 60, [3] * 60, "ranking", "better"),
        ([3] * 60, [1] * 60, "retrieval", "worse"),
        ([1] * 31 + [3] * 29, [3] * 31 + [1] * 29, "retrieval", "inside the noise"),
        ([1] * 29 + [3] * 31, [3] * 29 + [1] * 31, "retrieval", "inside the noise"),
        ([2] * 60, [2] * 60, "retrieval", "inside the noise"),
    ],
)
def test_rankings_order_is_served_if_it_is_better_beyond_doubt(
    timelines_of, ours, theirs, order, verdict
):
    lists = OrderedLists(_build_queries(timelines_of, 60), _lists(ours), _lists(theirs))
    orders = compare_orders([lists])
    assert (orders.order, orders.difference.verdict) == (order, verdict)


def test_what_is_written_is_read(tmp_path):
    difference = Difference(0.1, -0.1, 0.3, 70, "inside the noise")
    write_verdict(RankingVerdict(0.5, 0.4, difference), str(tmp_path))
    assert read_serving_order(str(tmp_path)) == "retrieval"
    written = json.loads((tmp_path / "assets.extra" / "ranking.json").read_text())
    assert written == {
        "order": "retrieval",
        "valid_ranking_ndcg@10": 0.5,
        "valid_retrieval_ndcg@10": 0.4,
        "valid_difference": 0.1,
        "valid_difference_low": -0.1,
        "valid_difference_high": 0.3,
        "difference": {
            "value": 0.1,
            "low": -0.1,
            "high": 0.3,
            "users": 70,
            "verdict": "inside the noise",
        },
    }


def test_a_user_with_two_queries_counts_once(timelines_of):
    """u0 has the item first and then second; u1 has one query with the item first: its 1 weighs as
    much as the mean of u0's two.
    """
    twice, once = _build_queries(timelines_of, 2), _build_queries(timelines_of, 1)
    orders = compare_orders(
        [
            OrderedLists(twice, _lists([1, 1]), _lists([4, 4])),
            OrderedLists(once, _lists([2]), _lists([4])),
        ]
    )
    assert orders.ranking == pytest.approx(((1 + 1 / np.log2(3)) / 2 + 1) / 2)
    assert orders.difference.users == 2


@pytest.mark.parametrize(("gain", "order"), [(0.0005, "retrieval"), (0.0015, "ranking")])
def test_a_gain_below_the_margin_is_not_worth_it(gain, order):
    sure = Difference(gain, gain / 2, gain * 2, 5000, "better")
    assert RankingVerdict(0.5 + gain, 0.5, sure).order == order


def test_one_good_moment_of_four_is_not_enough(timelines_of):
    """Ranking wins with all 60 users of the first moment and loses a little at the others."""
    good = OrderedLists(_build_queries(timelines_of, 60), _lists([1] * 60), _lists([4] * 60))
    bad = OrderedLists(_build_queries(timelines_of, 60), _lists([3] * 60), _lists([2] * 60))
    orders = compare_orders([good, bad, bad, bad])
    assert orders.difference.value > 0
    assert orders.order == "retrieval"


def test_each_eighth_of_the_events_is_one_moment(timelines_of):
    """Events at 10 to 160 in sixteen steps: each eighth has two, and earlier ones are history."""
    rows = [(b"a", 1, list(range(1, 17)), list(range(10, 170, 10)), 0)]
    queries = build_repeated_queries(timelines_of(rows), True, 10)
    assert [each.now for each in queries] == list(range(10, 170, 20))
    assert [each.relevant[0].tolist() for each in queries[:3]] == [[1, 2], [3, 4], [5, 6]]
    assert queries[2].interacted[0].tolist() == [1, 2, 3, 4]


def test_a_moment_without_users_is_left_out(timelines_of):
    """`a` consumes only item 1, which is new once; `b` consumes other items."""
    rows = [(b"a", 1, [1, 1, 1, 1], [10, 20, 30, 40], 0), (b"b", 2, [2, 3], [50, 60], 0)]
    queries = build_repeated_queries(timelines_of(rows), True, 10)
    assert [each.now for each in queries] == [10, 50, 60]


def test_without_a_clock_there_is_one_moment(timelines_of):
    rows = [(b"a", 1, [1, 2], [10, 20], 0)]
    (single,) = build_repeated_queries(timelines_of(rows), False, 90)
    assert single.now == 90


def test_a_moment_of_very_many_users_is_a_sample(timelines_of, monkeypatch):
    monkeypatch.setattr("trainer.ranking.serving_order._MAX_USERS", 3)
    rows = [(b"u%d" % n, n + 1, [n + 1], [10 + n], 0) for n in range(16)]
    moments = build_repeated_queries(timelines_of(rows), True, 10)
    assert [len(each) for each in moments] == [2] * 8
    monkeypatch.setattr("trainer.ranking.serving_order._MAX_USERS", 1)
    sampled = build_repeated_queries(timelines_of(rows), True, 10)
    assert [len(each) for each in sampled] == [1] * 8
    for one, both in zip(sampled, moments, strict=True):
        assert one.row[0] in both.row
