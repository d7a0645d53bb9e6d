"""The verdict on planted measurements that are better, worse, inside the noise or unknown."""

import pytest
from pydantic import ValidationError

from schema.labels import RankingLabel
from trainer.config.blessing import BlessingConfig, check_thresholds, override_thresholds
from trainer.evaluation.blessing import decide_blessing, list_failures

ALONE = BlessingConfig(baselines=[])
VERSION = {"version": 7, "path": "serving/recommender/7"}


def difference(value, low, high, users=500):
    return {"value": value, "low": low, "high": high, "users": users, "verdict": "not read"}


BETTER = difference(0.02, 0.01, 0.03)
WORSE = difference(-0.02, -0.03, -0.01)
NOISE = difference(-0.005, -0.02, 0.01)


def measured(labels=None, fairness=None, **baselines):
    """Final lists with ndcg@10 = 0.3, recall@100 = 0.5; `baselines` are differences by name."""
    lists = {
        "ndcg@10": 0.3,
        "recall@100": 0.5,
        "slice_differences": {},
        "against": {
            name: {"ndcg@10": result, "recall@100": result} for name, result in baselines.items()
        },
    }
    retrieval = {"ndcg@10": 0.25, "coverage@10": 0.1, "slice_differences": {}}
    return {
        "retrieval": retrieval
        | {
            "against": lists["against"],
            "baselines": {name: {} for name in baselines if name not in ("pushed", "retrieval")},
        },
        "ranking": lists | {"labels": labels or {}},
        "fairness": fairness or {},
    }


def only(result):
    [rule] = result["rules"]
    return rule


@pytest.mark.parametrize(
    ("result", "passed"), [(BETTER, True), (WORSE, False), (NOISE, True)]
)  # fmt: skip
def test_final_lists_must_not_be_worse_than_a_baseline_beyond_the_noise(result, passed):
    decided = decide_blessing(measured(popular=result), BlessingConfig(), None)
    assert decided["blessed"] is passed
    rule = only(decided)
    assert rule["passed"] is passed
    assert (rule["of"], rule["metric"], rule["against"]) == ("final lists", "ndcg@10", "popular")
    assert rule["received"] == 0.3
    assert rule["expected"] == pytest.approx(0.3 - result["value"])
    assert (rule["low"], rule["high"]) == (result["low"], result["high"])
    assert "note" not in rule


@pytest.mark.parametrize(("value", "passed"), [(-0.001, False), (0.0, True), (0.001, True)])
def test_with_too_few_users_the_means_decide_with_a_note(value, passed):
    few = difference(value, -0.3, 0.3, users=49)
    rule = only(decide_blessing(measured(popular=few), BlessingConfig(), None))
    assert rule["passed"] is passed
    assert "fewer than 50 test users" in rule["note"]


@pytest.mark.parametrize(
    ("margin", "significant", "result", "passed"),
    [
        (0.0, True, BETTER, True),
        (0.0, True, NOISE, False),
        (0.02, False, BETTER, True),  # up to 0.03 is likely
        (0.04, False, BETTER, False),
        (0.02, True, BETTER, False),  # down to 0.01 is likely
        (-0.02, False, WORSE, True),
        (-0.005, False, WORSE, False),
    ],
)
def test_a_margin_is_compared_with_the_interval(margin, significant, result, passed):
    rules = [{"baseline": "recent", "margin": margin, "significant": significant}]
    config = BlessingConfig.model_validate({"baselines": rules})
    rule = only(decide_blessing(measured(recent=result), config, None))
    assert rule["passed"] is passed
    assert rule["expected"] == pytest.approx(0.3 - result["value"] + margin)


@pytest.mark.parametrize(
    ("threshold", "passed"),
    [
        ({"metric": "ndcg@10", "at_least": 0.3}, True),
        ({"metric": "ndcg@10", "at_least": 0.31}, False),
        ({"metric": "ndcg@10", "target": "retrieval", "at_least": 0.3}, False),
        ({"metric": "coverage@10", "target": "retrieval", "at_most": 0.1}, True),
        ({"metric": "rmse", "target": "rating", "at_most": 0.8}, False),
        ({"metric": "rmse", "target": "rating", "at_most": 0.9}, True),
    ],
)
def test_a_threshold_is_a_number_to_reach(threshold, passed):
    config = BlessingConfig.model_validate({"baselines": [], "thresholds": [threshold]})
    measurements = measured(labels={"rating": {"kind": "regression", "rmse": 0.85}})
    rule = only(decide_blessing(measurements, config, None))
    assert rule["passed"] is passed
    assert rule["against"] is None
    assert rule["expected"] == threshold.get("at_least", threshold.get("at_most"))


def test_both_ends_of_a_threshold_are_separate_rules():
    bounds = {"metric": "ndcg@10", "at_least": 0.1, "at_most": 0.2}
    config = BlessingConfig.model_validate({"baselines": [], "thresholds": [bounds]})
    passed = [rule["passed"] for rule in decide_blessing(measured(), config, None)["rules"]]
    assert passed == [True, False]


def test_an_unmeasured_metric_fails_its_threshold_with_a_reason():
    config = BlessingConfig.model_validate(
        {"baselines": [], "thresholds": [{"metric": "rmse", "target": "rating", "at_most": 9}]}
    )
    measurements = measured(
        labels={"rating": {"kind": "regression", "events": 0, "note": "no event"}}
    )
    decided = decide_blessing(measurements, config, None)
    rule = only(decided)
    assert not rule["passed"]
    assert (rule["expected"], rule["received"]) == (9, None)
    assert rule["note"] == "not measured: no event"
    assert list_failures(decided) == ["rating: rmse at most 9 (not measured: no event)"]


def test_by_default_final_lists_are_compared_with_every_baseline_of_the_run():
    """Retrieval's lists are no baseline, although the final lists are compared with them."""
    results = {"popular": BETTER, "recent": WORSE, "item_transitions": NOISE, "retrieval": WORSE}
    decided = decide_blessing(measured(**results), BlessingConfig(), None)
    assert not decided["blessed"]
    assert {rule["against"]: rule["passed"] for rule in decided["rules"]} == {
        "popular": True, "recent": False, "item_transitions": True,
    }  # fmt: skip
    assert list_failures(decided) == [
        "final lists: worse than recent in ndcg@10: expected 0.3200, received 0.3000, "
        "95 % interval of the difference -0.0300 to -0.0100"
    ]
    assert decided["pushed_before"] is None


def test_each_baseline_that_is_better_has_its_sentence():
    decided = decide_blessing(measured(popular=WORSE, recent=WORSE), BlessingConfig(), None)
    sentences = [sentence.partition(" in ")[0] for sentence in list_failures(decided)]
    assert sentences == ["final lists: worse than popular", "final lists: worse than recent"]


def test_own_rules_replace_the_default():
    config = BlessingConfig.model_validate({"baselines": [{"baseline": "popular"}]})
    decided = decide_blessing(measured(popular=BETTER, recent=WORSE), config, None)
    assert decided["blessed"]
    assert only(decided)["against"] == "popular"


def test_all_baselines_may_have_a_margin():
    config = BlessingConfig.model_validate({"baselines": [{"margin": -0.02}]})
    decided = decide_blessing(measured(popular=NOISE, recent=WORSE), config, None)
    assert [rule["expected"] for rule in decided["rules"]] == pytest.approx([0.285, 0.3])
    assert decided["blessed"]


def test_a_failure_states_what_the_rule_required():
    rules = [{"baseline": "recent", "significant": True, "margin": 0.01}]
    config = BlessingConfig.model_validate({"baselines": rules})
    (sentence,) = list_failures(decide_blessing(measured(recent=NOISE), config, None))
    assert sentence.startswith(
        "final lists: not significantly better than recent in ndcg@10 with margin +0.01: expected"
    )


@pytest.mark.parametrize(("result", "blessed"), [(BETTER, True), (WORSE, False), (NOISE, True)])
def test_later_ones_must_not_be_worse_than_the_pushed_one(result, blessed):
    both = measured(popular=BETTER, pushed=result) | {"pushed": {"ndcg@10": 0.28}}
    decided = decide_blessing(both, BlessingConfig(), VERSION)
    assert decided["blessed"] is blessed
    rules_by_metric = {
        rule["metric"]: rule for rule in decided["rules"] if rule["against"] == "pushed"
    }
    assert set(rules_by_metric) == {"ndcg@10", "recall@100"}
    assert rules_by_metric["recall@100"]["expected"] == pytest.approx(0.5 - result["value"])
    assert decided["pushed_before"] == VERSION | {"ndcg@10": 0.28}


def test_an_uneven_comparison_is_noted():
    both = measured(pushed=NOISE) | {"pushed": {}}
    decided = decide_blessing(both, ALONE, VERSION | {"note": "it has seen the future"})
    assert decided["blessed"]
    assert {rule["note"] for rule in decided["rules"]} == {"it has seen the future"}


def test_a_pushed_version_that_cannot_be_evaluated_fails():
    decided = decide_blessing(measured(), ALONE, VERSION | {"failure": "OSError: no such file"})
    assert not decided["blessed"]
    for rule in decided["rules"]:
        assert (rule["expected"], rule["received"], rule["passed"]) == (None, None, False)
        assert "version 7 could not be evaluated: OSError: no such file" in rule["note"]
        assert "--force-push" in rule["note"]
    assert all("--force-push" in failure for failure in list_failures(decided))


def test_a_gap_above_its_limit_is_a_broken_rule():
    gap = {"value": 0.08, "low": 0.05, "high": 0.11}
    declared = {"metric": "ndcg@10", "limit": 0.05, "required": False, "gap": gap}
    measurements = measured(fairness={"users": {"users.region": declared}, "items": {}})
    rule = only(decide_blessing(measurements, ALONE, None))
    assert (rule["of"], rule["against"], rule["passed"]) == ("users.region", "limit", False)
    assert (rule["expected"], rule["received"]) == (0.05, 0.08)


@pytest.mark.parametrize(("rmse", "passed"), [(0.79, True), (0.8, True), (0.81, False)])
def test_label_errors_may_be_compared_with_the_bias_baseline(rmse, passed):
    config = BlessingConfig(baselines=[], bias_baseline=True)
    labels = {"rating": {"kind": "regression", "rmse": rmse, "bias_baseline_rmse": 0.8}}
    rule = only(decide_blessing(measured(labels), config, None))
    assert (rule["of"], rule["expected"], rule["received"]) == ("rating", 0.8, rmse)
    assert rule["passed"] is passed


def test_a_failure_is_reported_with_its_numbers():
    decided = decide_blessing(measured(popular=WORSE), BlessingConfig(), None)
    assert list_failures(decided) == [
        "final lists: worse than popular in ndcg@10: expected 0.3200, received 0.3000, "
        "95 % interval of the difference -0.0300 to -0.0100"
    ]


def test_without_rules_everything_is_blessed():
    decided = decide_blessing(measured(), ALONE, None)
    assert (decided["blessed"], decided["rules"]) == (True, [])
    assert decided["forced"] is None


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ({"target": "stars", "metric": "rmse", "at_most": 1}, "received 'stars'"),
        ({"target": "rating", "metric": "ndcg@10", "at_least": 0}, "one of rmse, mae"),
        ({"metric": "rmse", "at_most": 1}, "received 'rmse'"),
        ({"metric": "ndcg@11", "at_least": 0}, "received 'ndcg@11'"),
    ],
)
def test_a_threshold_of_an_unknown_metric_is_refused_before_the_run(threshold, message):
    labels = {"rating": RankingLabel(column="rating", kind="regression")}
    config = BlessingConfig.model_validate({"thresholds": [threshold]})
    with pytest.raises(ValueError, match=r"blessing\.thresholds") as error:
        check_thresholds(config, labels)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "section",
    [
        {"thresholds": [{"metric": "ndcg@10"}]},
        {"baselines": [{"lists": "retrieval", "baseline": "retrieval"}]},
        {"pushed": ["coverage@10"]},
    ],
)
def test_an_empty_rule_is_refused(section):
    with pytest.raises(ValidationError):
        BlessingConfig.model_validate(section)


def test_a_run_may_have_its_own_thresholds():
    compiled = BlessingConfig.model_validate({"baselines": [], "pushed": ["ndcg@10"]})
    rules = override_thresholds(compiled, '[{"metric": "ndcg@10", "at_least": 0.31}]', {})
    assert (rules.baselines, rules.pushed) == ([], ["ndcg@10"])
    assert not decide_blessing(measured(), rules, None)["blessed"]
    assert decide_blessing(measured(), override_thresholds(rules, "[]", {}), None)["blessed"]


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ('[{"metric": "ndcg@7", "at_least": 0.1}]', "received 'ndcg@7'"),
        ('[{"target": "stars", "metric": "rmse", "at_most": 1}]', "received 'stars'"),
        ('[{"metric": "ndcg@10"}]', "at_least or at_most, received neither"),
        ('{"metric": "ndcg@10"}', "valid array"),
        ("high", "Invalid JSON"),
    ],
)
def test_thresholds_of_a_run_are_compared_with_the_metrics(thresholds, message):
    with pytest.raises(ValueError, match=message):
        override_thresholds(BlessingConfig(), thresholds, {})
