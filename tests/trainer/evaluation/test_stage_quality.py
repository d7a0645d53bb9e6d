"""Both stages on planted lists: user n consumes item 2 after item 1, or is new and consumes item
3.
"""

import dataclasses
import json
import types
from typing import Any

import numpy as np
import pytest

from schema.dataset import Dataset
from trainer.config.blessing import BlessingConfig
from trainer.data.catalogue import Catalogue
from trainer.data.evaluation_queries import build_queries
from trainer.data.training_data import TrainingData
from trainer.evaluation.blessing import decide_blessing
from trainer.evaluation.quality import ListEvaluator, build_list_evaluator
from trainer.evaluation.stage_quality import StageLists, evaluate_stages

CUT = 1_000
SECOND = 1 / np.log2(3)
WITHOUT_FEATURES = Dataset.model_validate(
    {"data": {"interactions": {"path": "e.csv"}, "items": {"path": "i.csv"}}}
)


@pytest.fixture
def build_evaluator(timelines_of):
    """build(users) -> an evaluator with this number of warm users."""

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
    """The relevant item is second in retrieval's lists, first in ranking's, and in no popular
    list.
    """

    def same(row: list[int]) -> np.ndarray:
        return np.tile(row, (users, 1))

    return StageLists(
        retrieval=same([3, 2]),
        reranked=same([2, 3]),
        served=same([2, 3] if order == "ranking" else [3, 2]),
        order=order,
        baselines={"popular": same([3, 0])},
        pushed=None if pushed is None else same(pushed),
    )


def test_the_final_lists_are_those_in_the_order_that_is_served(build_evaluator):
    evaluator = build_evaluator(60)
    by_ranking = evaluate_stages(evaluator, lists(60, "ranking"))
    assert by_ranking.served.lists[0].tolist() == [2, 3]
    report = by_ranking.as_json()
    assert report["retrieval"]["ndcg@10"] == pytest.approx(SECOND)
    assert report["ranking"]["ndcg@10"] == report["ranking"]["reranked"]["ndcg@10"] == 1
    report = evaluate_stages(evaluator, lists(60, "retrieval")).as_json()
    assert report["ranking"]["ndcg@10"] == pytest.approx(SECOND)
    assert report["ranking"]["reranked"]["ndcg@10"] == 1


def test_the_final_lists_may_have_an_order_of_their_own(build_evaluator):
    diverse = dataclasses.replace(lists(60, "ranking"), served=np.tile([3, 2], (60, 1)))
    report = evaluate_stages(build_evaluator(60), diverse).as_json()
    assert report["ranking"]["ndcg@10"] == pytest.approx(SECOND)
    assert report["ranking"]["reranked"]["ndcg@10"] == 1


def test_all_lists_are_compared_with_baselines_and_the_final_ones_with_retrieval(build_evaluator):
    report = evaluate_stages(build_evaluator(60), lists(60, "ranking")).as_json()
    assert report["retrieval"]["users"] == 60
    assert report["retrieval"]["baselines"]["popular"]["recall@10"] == 0
    assert report["retrieval"]["against"]["popular"]["recall@10"]["verdict"] == "better"
    assert report["ranking"]["against"].keys() == {"popular", "retrieval"}
    gained = report["ranking"]["against"]["retrieval"]["ndcg@10"]
    assert gained["value"] == pytest.approx(1 - SECOND)
    assert "note" not in report["retrieval"]
    assert "pushed" not in report
    assert "beside" not in report


def test_slices_are_compared_with_baselines_and_the_final_lists_with_retrieval(timelines_of):
    """60 warm users consume item 2, which only the final lists have first; 60 new ones consume
    item 3, which popular lists have first.
    """
    warm = [(b"w%02d" % n, 1, [1, 2], [n, CUT], 1) for n in range(60)]
    new = [(b"n%02d" % n, 0, [3], [CUT + 1], 0) for n in range(60)]
    names = np.array([b"", b"a", b"b", b"c"], object)
    nothing: Any = types.SimpleNamespace()
    data = TrainingData(
        dataset=WITHOUT_FEATURES, items_graph=nothing, timelines_graph=nothing,
        catalogue=Catalogue(names, names, {}),
        train=timelines_of([(b"w00", 1, [1], [0], 0)]),
        valid=timelines_of([(b"w00", 1, [1], [0], 1)]),
        test=timelines_of(warm + new),
    )  # fmt: skip
    queries = build_queries(data.test, CUT)
    evaluator = build_list_evaluator(queries, data.clock(data.train), np.eye(4), data)
    both = dataclasses.replace(
        lists(120, "ranking", [2, 0]), baselines={"recent": np.tile([3, 0], (120, 1))}
    )
    report = evaluate_stages(evaluator, both).as_json()
    rows = report["ranking"]["slice_differences"]["history"]
    assert rows["warm users"]["against"].keys() == {"recent", "retrieval"}
    assert rows["warm users"]["against"]["recent"]["ndcg@10"]["value"] == 1
    assert rows["new users"]["users"] == 60
    lost = rows["new users"]["against"]["recent"]["ndcg@10"]
    assert lost["value"] == pytest.approx(SECOND - 1)
    of_retrieval = report["retrieval"]["slice_differences"]["history"]["new users"]["against"]
    assert of_retrieval.keys() == {"recent"}
    decided = decide_blessing(
        report | {"ranking": report["ranking"] | {"labels": {}}}, BlessingConfig(), None
    )
    assert decided["blessed"]
    (warning,) = decided["warnings"]
    assert (warning["of"], warning["against"]) == ("final lists for new users", "recent")


def test_the_pushed_version_gets_the_same_queries(build_evaluator):
    report = evaluate_stages(build_evaluator(60), lists(60, "ranking", [2, 0])).as_json()
    assert report["pushed"]["ndcg@10"] == 1
    verdict = report["ranking"]["against"]["pushed"]["ndcg@10"]
    assert (verdict["value"], verdict["verdict"]) == (0, "inside the noise")
    assert "pushed" not in report["retrieval"]["against"]


def test_comparison_models_get_the_same_queries_and_keep_their_names(build_evaluator):
    queries = dataclasses.replace(
        lists(60, "ranking"), comparisons={"left_alone": np.tile([3, 2], (60, 1))}
    )
    report = evaluate_stages(build_evaluator(60), queries).as_json()
    assert report["beside"]["left_alone"]["ndcg@10"] == pytest.approx(SECOND)
    gained = report["ranking"]["against"]["left_alone"]["ndcg@10"]
    assert gained["value"] == pytest.approx(1 - SECOND)
    assert gained["verdict"] == "better"
    assert "left_alone" not in report["retrieval"]["against"]


def test_too_few_users_are_noted_everywhere_without_nan(build_evaluator):
    report = evaluate_stages(build_evaluator(49), lists(49, "ranking")).as_json()
    assert report["retrieval"]["note"] == "too few users for a verdict: expected 50, received 49"
    for part in (report["retrieval"], report["ranking"]):
        verdicts = [row["verdict"] for other in part["against"].values() for row in other.values()]
        assert set(verdicts) == {"too few users"}
        assert part["slices"]["history"]["new users"] == {
            "users": 0,
            "note": "no test user is in this slice",
        }
    assert json.loads(json.dumps(report, allow_nan=False)) == report
