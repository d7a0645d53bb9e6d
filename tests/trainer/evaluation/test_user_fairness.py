import numpy as np
import pytest

from trainer.evaluation.fairness import measure_user_fairness
from trainer.evaluation.slices import Slice

USERS = 900
GROUP = np.arange(USERS) % 3
GROUPS = [Slice(name, np.equal(GROUP, at)) for at, name in enumerate(("north", "south", "west"))]


def planted(shares):
    """Of each group the first users of this share have 1, the others 0."""
    position = np.arange(USERS) // 3
    return (position < np.array(shares)[GROUP] * USERS / 3).astype(float)


def test_the_gap_is_from_the_best_group_to_the_worst():
    user_fairness = measure_user_fairness(planted((0.5, 0.2, 0.4)), GROUPS, seed=1)
    assert {name: row["metric"]["value"] for name, row in user_fairness["groups"].items()} == (
        pytest.approx({"north": 0.5, "south": 0.2, "west": 0.4})
    )
    assert (user_fairness["best"], user_fairness["worst"]) == ("north", "south")
    half = 1.96 * np.sqrt((0.5 * 0.5 + 0.2 * 0.8) / 300)
    expected = {"value": 0.3, "low": 0.3 - half, "high": 0.3 + half}
    assert user_fairness["gap"] == pytest.approx(expected, abs=0.15 * half)


def test_a_group_of_few_users_is_shown_and_has_no_part_in_the_gap():
    few = Slice("few", np.arange(USERS) < 10)
    values = planted((0.5, 0.2, 0.4))
    values[:10] = 1
    user_fairness = measure_user_fairness(values, [*GROUPS, few], seed=1)
    assert user_fairness["best"] == "north"
    assert user_fairness["groups"]["few"]["metric"]["value"] == 1
    assert "too few users" in user_fairness["groups"]["few"]["note"]


def test_one_group_has_no_gap():
    user_fairness = measure_user_fairness(np.ones(USERS), GROUPS[:1], seed=1)
    assert user_fairness["note"] == "no gap: expected two groups of 50 users or more, received 1"
    assert "gap" not in user_fairness
