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
    """Two users of two and one answers; the first has two windows, and takes item 4 twice."""
    split = timelines_of(
        [
            (b"a", 1, [1, 5, 4], [0, CUT + DAY, CUT + 2 * DAY], 1),
            (b"a", 1, [1, 5, 4, 4], [0, CUT + DAY, CUT + 2 * DAY, CUT + 9 * DAY], 3),
            (b"b", 2, [2, 3], [DAY, CUT + 12 * 3600], 1),
            (b"seen it", 3, [2, 2], [DAY, CUT], 1),
        ]
    )
    return build_queries(split, CUT)


def test_answers_have_the_moment_at_which_they_were_first_taken(queries):
    found = collect_relevant_items(queries)
    assert found.users == 2
    assert found.user.tolist() == [0, 0, 1]
    assert found.item.tolist() == [4, 5, 3]
    assert found.event.tolist() == [2, 1, 8]  # 3 events, 4 of the second window, 1 of his own
    assert found.days.tolist() == [2.0, 1.0, 0.5]


def test_an_answer_that_was_shown_before_it_was_taken_is_dated_by_the_taking(timelines_of):
    split = timelines_of(
        [(b"a", 1, [3, 3], [CUT, CUT + DAY], 0)], positive=[False, True]
    )  # fmt: skip
    assert collect_relevant_items(build_queries(split, CUT)).days.tolist() == [1.0]


def test_ranks_are_places_from_one_and_zero_where_the_list_has_it_not(queries):
    lists = np.array([[9, 5, 3], [3, 0, 0]])
    assert collect_relevant_items(queries).ranks(lists).tolist() == [0, 2, 1]
    assert collect_relevant_items(queries).ranks(np.array([[4], [5]])).tolist() == [1, 0, 0]


def test_users_by_hand():
    columns = {"m": np.concatenate([np.zeros(30), np.ones(30), np.full(60, 0.5)])}
    first = np.arange(120) < 60
    found = measure_user_slices(columns, [Slice("first", first), Slice("rest", ~first)], seed=1)
    assert found["first"]["users"] == found["rest"]["users"] == 60
    assert "note" not in found["first"]
    rest = {"value": 0.5, "low": 0.5, "high": 0.5}
    assert found["rest"]["m"] == pytest.approx(rest)
    measured = found["first"]["m"]
    assert measured["value"] == 0.5
    assert measured["low"] == pytest.approx(0.5 - 1.96 * 0.5 / 60**0.5, abs=0.02)
    assert measured["high"] == pytest.approx(0.5 + 1.96 * 0.5 / 60**0.5, abs=0.02)


def test_a_slice_without_users_and_one_of_few_say_so():
    parts = [Slice("none", np.zeros(60, bool)), Slice("few", np.arange(60) < 49)]
    found = measure_user_slices({"m": np.ones(60)}, parts, seed=1)
    assert found["none"] == {"users": 0, "note": "no test user is in this slice"}
    assert found["few"]["users"] == 49
    assert found["few"]["note"] == "too few users for a verdict: expected 50, received 49"
    assert found["few"]["m"] == {"value": 1.0, "low": 1.0, "high": 1.0}


@pytest.fixture
def three_users():
    """Ranks of user 0's answers 1, 12 and none, of user 1's 11, of user 2's 2."""
    user = np.array([0, 0, 0, 1, 2])
    relevant = RelevantItems(3, user, np.array([1, 2, 3, 1, 4]), np.arange(5), np.zeros(5))
    return relevant, np.array([1, 12, 0, 11, 2])


def test_answers_of_a_slice_count_alike_whosever_they_are(three_users):
    relevant, ranks = three_users
    parts = [Slice("all but the last", np.array([True, True, True, True, False]))]
    found = measure_item_slices(relevant, ranks, parts, (10, 100), seed=1)["all but the last"]
    assert (found["users"], found["answers"]) == (2, 4)
    # user 0 alone finds 1 of 3, user 1 alone 0 of 1
    assert found["recall@10"] == pytest.approx({"value": 1 / 4, "low": 0, "high": 1 / 3})
    assert found["recall@100"] == pytest.approx({"value": 3 / 4, "low": 2 / 3, "high": 1})
    assert found["note"] == "too few users for a verdict: expected 50, received 2"


def test_a_slice_without_answers_says_so(three_users):
    relevant, ranks = three_users
    found = measure_item_slices(relevant, ranks, [Slice("none", np.zeros(5, bool))], (10,), seed=1)
    assert found["none"] == {
        "users": 0,
        "answers": 0,
        "note": "no test user is in this slice",
    }
