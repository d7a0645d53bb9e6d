import numpy as np
import pytest

from trainer.data.evaluation_queries import build_queries
from trainer.evaluation.slice_metrics import (
    RelevantItems,
    collect_relevant_items,
    measure_item_slices,
    measure_user_slices,
)
from trainer.evaluation.slices import Slice

DAY = 86_400
CUT = 10 * DAY


@pytest.fixture
def queries(timelines_of):
    """Two users with two and one relevant items; the first has two windows, and consumes item 4
    twice.
    """
    split = timelines_of(
        [
            (b"a", 1, [1, 5, 4], [0, CUT + DAY, CUT + 2 * DAY], 1),
            (b"a", 1, [1, 5, 4, 4], [0, CUT + DAY, CUT + 2 * DAY, CUT + 9 * DAY], 3),
            (b"b", 2, [2, 3], [DAY, CUT + 12 * 3600], 1),
            (b"seen it", 3, [2, 2], [DAY, CUT], 1),
        ]
    )
    return build_queries(split, CUT)


def test_relevant_items_have_the_time_of_the_first_interaction(queries):
    relevant_items = collect_relevant_items(queries)
    assert relevant_items.users == 2
    assert relevant_items.user.tolist() == [0, 0, 1]
    assert relevant_items.item.tolist() == [4, 5, 3]
    assert relevant_items.event.tolist() == [
        2,
        1,
        8,
    ]  # 3 events, 4 of the second window, 1 of the user
    assert relevant_items.days.tolist() == [2.0, 1.0, 0.5]


def test_a_relevant_item_is_dated_by_its_positive_event(timelines_of):
    split = timelines_of(
        [(b"a", 1, [3, 3], [CUT, CUT + DAY], 0)], positive=[False, True]
    )  # fmt: skip
    assert collect_relevant_items(build_queries(split, CUT)).days.tolist() == [1.0]


def test_ranks_start_at_one_and_are_zero_for_unlisted_items(queries):
    lists = np.array([[9, 5, 3], [3, 0, 0]])
    assert collect_relevant_items(queries).ranks(lists).tolist() == [0, 2, 1]
    assert collect_relevant_items(queries).ranks(np.array([[4], [5]])).tolist() == [1, 0, 0]


def test_users_by_hand():
    columns = {"m": np.concatenate([np.zeros(30), np.ones(30), np.full(60, 0.5)])}
    first = np.arange(120) < 60
    user_slices = measure_user_slices(
        columns, [Slice("first", first), Slice("rest", ~first)], seed=1
    )
    assert user_slices["first"]["users"] == user_slices["rest"]["users"] == 60
    assert "note" not in user_slices["first"]
    rest = {"value": 0.5, "low": 0.5, "high": 0.5}
    assert user_slices["rest"]["m"] == pytest.approx(rest)
    measured = user_slices["first"]["m"]
    assert measured["value"] == 0.5
    assert measured["low"] == pytest.approx(0.5 - 1.96 * 0.5 / 60**0.5, abs=0.02)
    assert measured["high"] == pytest.approx(0.5 + 1.96 * 0.5 / 60**0.5, abs=0.02)


def test_slices_with_no_or_few_users_are_noted():
    parts = [Slice("none", np.zeros(60, bool)), Slice("few", np.arange(60) < 49)]
    user_slices = measure_user_slices({"m": np.ones(60)}, parts, seed=1)
    assert user_slices["none"] == {"users": 0, "note": "no test user is in this slice"}
    assert user_slices["few"]["users"] == 49
    assert user_slices["few"]["note"] == "too few users for a verdict: expected 50, received 49"
    assert user_slices["few"]["m"] == {"value": 1.0, "low": 1.0, "high": 1.0}


@pytest.fixture
def three_users():
    """Ranks of the relevant items: 1, 12 and none for user 0, 11 for user 1, 2 for user 2."""
    user = np.array([0, 0, 0, 1, 2])
    relevant = RelevantItems(3, user, np.array([1, 2, 3, 1, 4]), np.arange(5), np.zeros(5))
    return relevant, np.array([1, 12, 0, 11, 2])


def test_relevant_items_of_a_slice_have_equal_weight(three_users):
    relevant, ranks = three_users
    parts = [Slice("all but the last", np.array([True, True, True, True, False]))]
    item_slices = measure_item_slices(relevant, ranks, parts, (10, 100), seed=1)["all but the last"]
    assert (item_slices["users"], item_slices["answers"]) == (2, 4)
    # user 0 alone: 1 of 3; user 1 alone: 0 of 1
    assert item_slices["recall@10"] == pytest.approx({"value": 1 / 4, "low": 0, "high": 1 / 3})
    assert item_slices["recall@100"] == pytest.approx({"value": 3 / 4, "low": 2 / 3, "high": 1})
    assert item_slices["note"] == "too few users for a verdict: expected 50, received 2"


def test_a_slice_without_relevant_items_is_noted(three_users):
    relevant, ranks = three_users
    item_slices = measure_item_slices(
        relevant, ranks, [Slice("none", np.zeros(5, bool))], (10,), seed=1
    )
    assert item_slices["none"] == {
        "users": 0,
        "answers": 0,
        "note": "no test user is in this slice",
    }
