"""Both stages of planted lists: user n takes item 2 after item 1, or is new and takes item 3."""

import dataclasses
import json
import types
from typing import Any

import numpy as np
import pytest

from schema.dataset import Dataset
from trainer.data.catalogue import Catalogue
from trainer.data.evaluation_queries import build_queries
from trainer.data.training_data import TrainingData
from trainer.evaluation.quality import (
    ListEvaluator,
    StageLists,
    build_list_evaluator,
    evaluate_stages,
)

CUT = 1_000
SECOND = 1 / np.log2(3)
WITHOUT_FEATURES = Dataset.model_validate(
    {"data": {"interactions": {"path": "e.csv"}, "items": {"path": "i.csv"}}}
)


@pytest.fixture
def evaluator_of(timelines_of):
    """A judge of so many warm users."""

    def build(users: int) -> ListEvaluator:
        ids = [b"%03d" % user for user in range(users)]
        names = np.array([b"", b"a", b"b", b"c"], object)
        nothing: Any = types.SimpleNamespace()
        data = TrainingData(
            dataset=WITHOUT_FEATURES,
            items_graph=nothing,
            timelines_graph=nothing,
            catalogue=Catalogue(names, names, {}),
            train=timelines_of([(user, 1, [1], [n], 0) for n, user in enumerate(ids)]),
            valid=timelines_of([(ids[0], 1, [1], [0], 1)]),
            test=timelines_of([(user, 1, [1, 2], [n, CUT], 1) for n, user in enumerate(ids)]),
        )
        queries = build_queries(data.test, CUT)
        return build_list_evaluator(queries, data.clock(data.train, data.valid), np.eye(4), data)

    return build


def lists(users: int, order: str, pushed: list[int] | None = None) -> StageLists:
    """Retrieval has the answer in the second place, ranking in the first, popularity nowhere."""

    def same(row: list[int]) -> np.ndarray:
        return np.tile(row, (users, 1))

    return StageLists(
        retrieval=same([3, 2]),
        reranked=same([2, 3]),
        order=order,
        baselines={"popular": same([3, 0])},
        pushed=None if pushed is None else same(pushed),
    )


def test_the_final_lists_are_those_in_the_order_that_is_served(evaluator_of):
    evaluator = evaluator_of(60)
    by_ranking = evaluate_stages(evaluator, lists(60, "ranking"))
    assert by_ranking.served.lists[0].tolist() == [2, 3]
    found = by_ranking.as_json()
    assert found["retrieval"]["ndcg@10"] == pytest.approx(SECOND)
    assert found["ranking"]["ndcg@10"] == found["ranking"]["reranked"]["ndcg@10"] == 1
    found = evaluate_stages(evaluator, lists(60, "retrieval")).as_json()
    assert found["ranking"]["ndcg@10"] == pytest.approx(SECOND)
    assert found["ranking"]["reranked"]["ndcg@10"] == 1


def test_all_are_held_against_the_baselines_and_the_final_lists_against_retrieval(evaluator_of):
    found = evaluate_stages(evaluator_of(60), lists(60, "ranking")).as_json()
    assert found["retrieval"]["users"] == 60
    assert found["retrieval"]["baselines"]["popular"]["recall@10"] == 0
    assert found["retrieval"]["against"]["popular"]["recall@10"]["verdict"] == "better"
    assert found["ranking"]["against"].keys() == {"popular", "retrieval"}
    gained = found["ranking"]["against"]["retrieval"]["ndcg@10"]
    assert gained["value"] == pytest.approx(1 - SECOND)
    assert "note" not in found["retrieval"]
    assert "pushed" not in found
    assert "beside" not in found


def test_the_version_that_is_pushed_is_asked_the_same(evaluator_of):
    found = evaluate_stages(evaluator_of(60), lists(60, "ranking", [2, 0])).as_json()
    assert found["pushed"]["ndcg@10"] == 1
    verdict = found["ranking"]["against"]["pushed"]["ndcg@10"]
    assert (verdict["value"], verdict["verdict"]) == (0, "inside the noise")
    assert "pushed" not in found["retrieval"]["against"]


def test_others_beside_are_asked_the_same_and_have_their_names(evaluator_of):
    queries = dataclasses.replace(
        lists(60, "ranking"), comparisons={"left_alone": np.tile([3, 2], (60, 1))}
    )
    found = evaluate_stages(evaluator_of(60), queries).as_json()
    assert found["beside"]["left_alone"]["ndcg@10"] == pytest.approx(SECOND)
    gained = found["ranking"]["against"]["left_alone"]["ndcg@10"]
    assert gained["value"] == pytest.approx(1 - SECOND)
    assert gained["verdict"] == "better"
    assert "left_alone" not in found["retrieval"]["against"]


def test_too_few_users_are_said_everywhere_and_nothing_is_nan(evaluator_of):
    found = evaluate_stages(evaluator_of(49), lists(49, "ranking")).as_json()
    assert found["retrieval"]["note"] == "too few users for a verdict: expected 50, received 49"
    for part in (found["retrieval"], found["ranking"]):
        verdicts = [row["verdict"] for other in part["against"].values() for row in other.values()]
        assert set(verdicts) == {"too few users"}
        assert part["slices"]["history"]["new users"] == {
            "users": 0,
            "note": "no test user is in this slice",
        }
    assert json.loads(json.dumps(found, allow_nan=False)) == found
