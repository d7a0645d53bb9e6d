import numpy as np
import pytest

from trainer.evaluation.slice_differences import compare_in_slices
from trainer.evaluation.slices import Slice

NEW = np.arange(200) < 60
OURS = {"ndcg@10": np.where(NEW, 0.1, 0.5)}
RECENT = {"ndcg@10": np.where(np.arange(200) % 2, 0.4, 0.2)}


def compare(**slices):
    return compare_in_slices(OURS, {"recent": RECENT}, slices)


def test_differences_are_those_of_the_slice_alone():
    """New users: .1 against .2 and .4 in turn; warm users: .5 against the same."""
    row = compare(history=[Slice("new users", NEW), Slice("warm users", ~NEW)])["history"]
    assert (row["new users"]["users"], row["warm users"]["users"]) == (60, 140)
    new = row["new users"]["against"]["recent"]["ndcg@10"]
    assert new["value"] == pytest.approx(-0.2)
    assert new["standard_error"] == pytest.approx(0.1 * (60 / 59) ** 0.5 / 60**0.5)
    assert row["warm users"]["against"]["recent"]["ndcg@10"]["value"] == pytest.approx(0.2)


def test_slices_with_too_few_or_all_users_are_not_compared():
    few, none, everyone = np.arange(200) < 49, np.zeros(200, bool), np.ones(200, bool)
    slices = [Slice("few", few), Slice("none", none), Slice("everyone", everyone)]
    row = compare(user_region=slices)["user_region"]
    assert row["few"] == {
        "users": 49, "note": "too few users for a verdict: expected 50, received 49",
    }  # fmt: skip
    assert row["none"] == {"users": 0, "note": "no test user is in this slice"}
    assert row["everyone"] == {"users": 200, "note": "all test users are in this slice"}


def test_activity_is_left_out():
    assert compare(activity=[Slice("1 item", NEW)]) == {}
