"""Slices of users with planted differences and standard errors.

One-sided p-values of Student's t with 400 degrees of freedom: t = -2 has .0231, t = -3 has .00143,
t = -4 has .0000377.
"""

import json

import pytest

from schema.evaluation_summary import VerdictSummary
from trainer.config.blessing import BaselineRule, BlessingConfig
from trainer.evaluation.blessing import decide_blessing, list_failures
from trainer.evaluation.slice_rules import check_slices

USERS = 401


def difference(t, error=0.01):
    """A planted difference of `t` standard errors, for metrics that are 0.3 in every slice."""
    value = t * error
    return {"value": value, "low": value - 0.02, "high": value + 0.02, "standard_error": error}


def measured(slices, baselines=("popular", "recent")):
    """Results with `slices`: dimension -> slice -> baseline -> t; None for too few users. Over all
    users, lists are better than every baseline.
    """
    better = {"value": 0.1, "low": 0.05, "high": 0.15, "users": 900, "verdict": "better"}
    compared = {
        dimension: {
            name: {"users": 9, "note": "too few users"}
            if by_baseline is None
            else {
                "users": USERS,
                "against": {b: {"ndcg@10": difference(t)} for b, t in by_baseline.items()},
            }
            for name, by_baseline in rows.items()
        }
        for dimension, rows in slices.items()
    }
    means = {
        dimension: {name: {"ndcg@10": {"value": 0.3}} for name in rows}
        for dimension, rows in slices.items()
    }
    lists = {
        "ndcg@10": 0.3,
        "against": {name: {"ndcg@10": better} for name in baselines},
        "slices": means,
        "slice_differences": compared,
    }
    return {
        "retrieval": lists | {"baselines": {name: {} for name in baselines}},
        "ranking": lists | {"labels": {}},
        "fairness": {},
    }


def check(slices, **rule):
    return check_slices(BaselineRule(**rule), measured(slices))


def test_a_slice_is_compared_with_its_best_baseline():
    rows = check(
        {
            "history": {
                "new users": {"popular": 3, "recent": -4},
                "warm users": {"popular": 1, "recent": 2},
            }
        }
    )
    assert [(row["of"], row["against"], row["passed"]) for row in rows] == [
        ("final lists for new users", "recent", False),
        ("final lists for warm users", "popular", True),
    ]
    new = rows[0]
    assert new["expected"] == pytest.approx(0.34)
    assert (new["received"], new["users"]) == (0.3, USERS)
    assert new["p_value"] == pytest.approx(2 * 2 * 3.77e-5, rel=0.01)  # two baselines, two slices
    assert new["failure"] == (
        "final lists for new users: worse than recent in ndcg@10: expected 0.3400, received "
        "0.3000, 95 % interval of the difference -0.0600 to -0.0200, 401 users, "
        "adjusted p 0.0002"
    )


def test_the_more_slices_and_baselines_the_larger_a_difference_must_be():
    """t = -3 has p = .00143: times 2 baselines and 8 slices .0229, but 9 slices .0257."""
    for others, passed in ((7, False), (8, True)):
        rows = {f"value {n}": {"popular": 0, "recent": 1} for n in range(others)}
        rows["worse"] = {"popular": -3, "recent": -1}
        assert check({"user_region": rows})[-1]["passed"] is passed
    nine = {f"value {n}": {"popular": 0} for n in range(8)} | {"worse": {"popular": -3}}
    assert not check({"user_region": nine}, baseline="popular")[-1]["passed"]


def test_several_slices_may_be_worse():
    """Holm: the second slice of two is multiplied by 1 instead of 2."""
    rows = {"north": {"popular": -4}, "south": {"popular": -2}}
    assert [row["passed"] for row in check({"user_region": rows}, baseline="popular")] == [
        False, False,
    ]  # fmt: skip
    rows = {"north": {"popular": 4}, "south": {"popular": -2}}
    assert [row["passed"] for row in check({"user_region": rows}, baseline="popular")] == [
        True, True,
    ]  # fmt: skip


def test_slices_with_too_few_users_are_not_judged():
    rows = {"north": None, "south": {"popular": -4}}
    assert [row["of"] for row in check({"user_region": rows}, baseline="popular")] == [
        "final lists for user_region south"
    ]
    assert check({"user_region": {"north": None}}) == []


def test_a_margin_allows_a_loss():
    rows = {"history": {"new users": {"popular": -4}}}
    assert not check(rows, baseline="popular", margin=-0.01)[0]["passed"]  # 3 errors below it
    assert check(rows, baseline="popular", margin=-0.03)[0]["passed"]  # 1 error below it


def test_by_default_a_worse_slice_is_a_warning():
    slices = {"history": {"new users": {"popular": -4, "recent": 1}}}
    decided = decide_blessing(measured(slices), BlessingConfig(), None)
    assert decided["blessed"]
    assert list_failures(decided) == []
    (warning,) = decided["warnings"]
    assert warning["failure"].startswith("final lists for new users: worse than popular")
    parsed = VerdictSummary.model_validate_json(json.dumps(decided, allow_nan=False))
    assert parsed.warnings[0].failure == warning["failure"]
    assert parsed.failed == []


def test_slices_can_be_rules():
    slices = {"history": {"new users": {"popular": -4, "recent": 1}}}
    config = BlessingConfig.model_validate({"baselines": [{"slices": True}]})
    decided = decide_blessing(measured(slices), config, None)
    assert not decided["blessed"]
    assert decided["warnings"] == []
    assert [(rule["of"], rule["passed"]) for rule in decided["rules"]] == [
        ("final lists", True),
        ("final lists", True),
        ("final lists for new users", False),
    ]
    assert len(list_failures(decided)) == 1


def test_without_rules_there_are_no_warnings():
    slices = {"history": {"new users": {"popular": -4, "recent": 1}}}
    assert decide_blessing(measured(slices), BlessingConfig(baselines=[]), None)["warnings"] == []


def test_retrieval_has_slices_too():
    slices = {"history": {"new users": {"popular": -4}}}
    (row,) = check(slices, lists="retrieval", baseline="popular")
    assert (row["of"], row["passed"]) == ("retrieval for new users", False)
