"""Declared groups on planted lists: 300 users, three regions, two studios."""

import types
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from schema.dataset import Dataset
from trainer.config.fairness import FairnessConfig, check_fairness_groups
from trainer.evaluation.fairness import check_limits, measure_fairness

USERS = 300
REGION = np.arange(USERS) % 3
NDCG = np.choose(REGION, [0.5, 0.25, 0.4])
STUDIO = np.array([0, 1, 1, 2, 2])
"""Of items 1 to 4: two of studio x, two of studio y."""


def served(users: int = USERS, region: np.ndarray = REGION + 1) -> Any:
    """All users are shown item 1 and consume items 2 and 3; region 0 is unknown."""
    return types.SimpleNamespace(
        lists=np.array([[1]] * users),
        columns={"ndcg@10": NDCG[:users], "recall@5": 1 - NDCG[:users]},
        evaluator=types.SimpleNamespace(
            queries=types.SimpleNamespace(
                relevant=[np.array([2, 3])] * users,
                timelines=types.SimpleNamespace(users={"region": region}),
                row=np.arange(users),
            ),
        ),
    )


class Graph:
    """The vocabularies of both tables."""

    def vocabulary_by_name(self, name: str) -> list[bytes]:
        return {"item_studio": [b"x", b"y"], "user_region": [b"north", b"south", b"west"]}[name]


def data(studio: np.ndarray = STUDIO) -> Any:
    dataset = Dataset.model_validate(
        {
            "data": {
                "interactions": {"path": "e.csv"},
                "items": {"path": "i.csv"},
                "users": {"path": "u.csv"},
            },
            "features": {
                "items": {"studio": {"kind": "category"}},
                "users": {"region": {"kind": "category"}},
            },
        }
    )
    return types.SimpleNamespace(
        dataset=dataset,
        catalogue=types.SimpleNamespace(size=4, features={"studio": studio}),
        items_graph=Graph(),
        timelines_graph=Graph(),
    )


def declared(of, **more):
    return FairnessConfig(groups=of, **more)


def test_without_declared_groups_no_gap_is_measured():
    assert measure_fairness([], served(), data()) == {}
    assert check_limits({}) == []


def test_users_gap_is_between_the_best_region_and_the_worst():
    fairness = measure_fairness([declared("users.region", max_gap=0.2)], served(), data())
    row = fairness["users"]["users.region"]
    assert (row["best"], row["worst"]) == ("north", "south")
    assert row["gap"] == pytest.approx({"value": 0.25, "low": 0.25, "high": 0.25})
    assert (row["metric"], row["limit"]) == ("ndcg@10", 0.2)
    assert row["groups"]["no known value"]["users"] == 0
    assert fairness["items"] == {}


def test_another_metric_turns_the_regions_round():
    config = declared("users.region", metric="recall@5")
    row = measure_fairness([config], served(), data())["users"]["users.region"]
    assert (row["best"], row["worst"], row["limit"]) == ("south", "north", None)


def test_the_item_gap_compares_exposure_with_relevance():
    fairness = measure_fairness([declared("items.studio")], served(), data())
    row = fairness["items"]["items.studio"]
    assert row["groups"]["x"]["exposure"]["value"] == 1
    assert row["groups"]["x"]["relevance"]["value"] == 0.5
    assert (row["widest"], row["gap"]) == ("x", 0.5)
    assert row["metric"] == "exposure@10"


def test_a_gap_above_its_limit_fails_and_one_at_it_passes():
    configs = [declared("users.region", max_gap=0.2), declared("items.studio", max_gap=0.5)]
    users, items = check_limits(measure_fairness(configs, served(), data()))
    assert (users["of"], users["metric"], users["limit"]) == ("users.region", "ndcg@10", 0.2)
    assert users["received"] == pytest.approx(0.25)
    assert users["passed"] is False
    assert (items["of"], items["received"], items["passed"]) == ("items.studio", 0.5, True)


def test_a_group_without_a_limit_has_no_rule():
    fairness = measure_fairness([declared("users.region")], served(), data())
    assert check_limits(fairness) == []


@pytest.mark.parametrize("required", [False, True])
def test_groups_with_too_few_users_fail_only_required_gaps(required):
    config = declared("users.region", max_gap=0.2, required=required)
    few = served(140)  # 47, 47 and 46 of a region
    (row,) = check_limits(measure_fairness([config], few, data()))
    assert row["note"] == (
        "not measured: no gap: expected two groups of 50 users or more, received 0"
    )
    assert "received" not in row
    assert row["passed"] is not required


def test_few_users_give_no_item_gap():
    config = declared("items.studio", max_gap=0.1)
    (row,) = check_limits(measure_fairness([config], served(users=49), data()))
    assert "too few users for a verdict: expected 50, received 49" in row["note"]
    assert row["passed"] is True


def test_values_that_never_occur_are_noted():
    no_users = served(region=np.zeros(USERS, int))
    configs = [declared("users.region", max_gap=0.1), declared("items.studio", max_gap=0.1)]
    fairness = measure_fairness(configs, no_users, data(np.zeros(5, int)))
    assert fairness["users"]["users.region"]["note"] == (
        "no gap: no test user has a known value of users.region"
    )
    assert fairness["items"]["items.studio"]["note"] == (
        "no gap: no item has a known value of items.studio"
    )
    assert [row["passed"] for row in check_limits(fairness)] == [True, True]


FEATURES = Dataset.model_validate(
    {
        "data": {
            "interactions": {"path": "e.csv"},
            "items": {"path": "i.csv"},
            "users": {"path": "u.csv"},
        },
        "features": {
            "items": {"name": {"kind": "text"}, "tags": {"kind": "set"}},
            "users": {"region": {"kind": "category"}},
        },
    }
).features


def test_many_values_are_separate_groups():
    """Twenty studios of one item each: slices show ten, but a limit applies to all."""
    lists: Any = types.SimpleNamespace(
        lists=np.array([[1]] * 60),
        evaluator=types.SimpleNamespace(
            queries=types.SimpleNamespace(relevant=[np.arange(1, 21)] * 60)
        ),
    )
    studios = data(np.arange(21))
    studios.catalogue.size = 20
    names = [b"s%d" % number for number in range(1, 21)]
    studios.items_graph = types.SimpleNamespace(vocabulary_by_name=lambda name: names)
    row = measure_fairness([declared("items.studio")], lists, studios)["items"]["items.studio"]
    assert row["groups"].keys() == {*(name.decode() for name in names), "no known value"}
    assert row["gap"] == pytest.approx(1 - 1 / 20)


def test_declared_categories_and_sets_are_groups():
    check_fairness_groups([declared("users.region"), declared("items.tags")], FEATURES)


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        ("users.age", r"features.users \(region\), received no such feature; declare"),
        ("items.name", r"features.items \(tags\), received kind text"),
        ("users.tags", "received no such feature"),
    ],
)
def test_a_group_that_the_data_lack_is_refused(of, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_fairness_groups([declared(of)], FEATURES)


def test_a_group_is_declared_once():
    with pytest.raises(ValueError, match=r"users.region is declared twice"):
        check_fairness_groups([declared("users.region"), declared("users.region")], FEATURES)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"groups": "events.device"}, "groups"),
        ({"groups": "users.region", "metric": "exposure@10"}, "expected one of recall@5.*received"),
        ({"groups": "items.tags", "metric": "ndcg@10"}, "expected one of exposure@5.*received"),
        ({"groups": "users.region", "metric": "ndcg@7"}, "expected one of"),
        ({"groups": "users.region", "max_gap": 0.0}, "greater than 0"),
        ({"groups": "users.region", "required": True}, "expects a max_gap, received none"),
    ],
)
def test_invalid_values_are_refused(values, sentence):
    with pytest.raises(ValidationError, match=sentence):
        FairnessConfig.model_validate(values)
