import numpy as np
import pytest

from trainer.evaluation.fairness import compute_exposure_shares, measure_exposure
from trainer.evaluation.slices import Slice

MEMBER = np.array([True, True, False, True, False])  # items 1 and 3; row 0 is no item
SECOND, THIRD = 1 / np.log2(3), 1 / 2


def test_shares_by_hand():
    lists = np.array([[1, 2, 3], [2, 4, 1], [3, 0, 0], [0, 0, 0]])
    total = 1 + SECOND + THIRD
    expected = [(1 + THIRD) / total, THIRD / total, 1, 0]
    np.testing.assert_allclose(compute_exposure_shares(lists, MEMBER, 3), expected)
    np.testing.assert_allclose(compute_exposure_shares(lists, MEMBER, 1), [1, 0, 1, 0])


def test_a_group_that_is_shown_in_proportion_has_no_difference():
    lists = np.array([[1], [2]] * 30)
    relevant = [np.array([3, 4]), np.array([1, 2])] * 30
    groups = [Slice("a", MEMBER), Slice("b", ~MEMBER)]
    result = measure_exposure(lists, relevant, groups, 10, seed=1)
    row = result["groups"]["a"]
    assert row["exposure"]["value"] == row["relevance"]["value"] == 0.5
    assert row["relevance"]["low"] == row["relevance"]["high"] == 0.5
    assert row["difference"]["value"] == 0
    # each user's difference is 1/2 or -1/2
    assert row["difference"]["high"] == pytest.approx(1.96 * 0.5 / 60**0.5, rel=0.15)
    assert "note" not in result


def test_the_gap_is_the_greatest_difference_either_way():
    lists = np.array([[1, 2]] * 60)
    relevant = [np.array([1, 2, 4, 4])] * 60
    groups = [Slice("one", np.arange(5) == 1), Slice("four", np.arange(5) == 4)]
    exposure = measure_exposure(lists, relevant, groups, 2, seed=1)
    first = 1 / (1 + SECOND)
    assert exposure["groups"]["one"]["difference"]["value"] == pytest.approx(first - 1 / 4)
    assert exposure["groups"]["four"]["difference"]["value"] == pytest.approx(-1 / 2)
    assert exposure["widest"] == "four"
    # item 4 is in no list, but is half of all relevant items
    assert exposure["gap"] == pytest.approx(1 / 2)


def test_an_undefined_gap_is_noted():
    lists, relevant = np.array([[1]] * 20), [np.array([1])] * 20
    exposure = measure_exposure(lists, relevant, [Slice("none", np.zeros(5, bool))], 10, seed=1)
    assert exposure["groups"]["none"]["note"] == "no list and no answer holds an item of this group"
    assert exposure["note"] == "too few users for a verdict: expected 50, received 20"
    assert "gap" not in exposure


def test_one_group_of_items_has_no_gap():
    lists, relevant = np.array([[1]] * 60), [np.array([3])] * 60
    groups = [Slice("all", MEMBER), Slice("none", np.zeros(5, bool))]
    exposure = measure_exposure(lists, relevant, groups, 10, seed=1)
    assert (
        exposure["note"] == "no gap: expected two groups of items in lists and answers, received 1"
    )
    assert "gap" not in exposure
    assert exposure["groups"]["all"]["difference"]["value"] == 0
