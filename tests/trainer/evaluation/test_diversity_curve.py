"""Final lists and their curve on planted candidates, with the function that the served graph calls.

Items a, b, c and d are those of tests/serving/graph/test_diversity.py: in the order abcd by
relevance, adcb from a diversity of 0.4 on. All users consume b: second, then fourth. a and b are of
studio x, c and d of y; e is never scored.
"""

import dataclasses
import types
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schema.dataset import Dataset
from serving.graph.list_order import create_array_order
from tests.serving.planted_servables import build_candidates
from trainer.config.fairness import FairnessConfig
from trainer.data.catalogue import Catalogue
from trainer.data.evaluation_queries import build_queries
from trainer.data.training_data import TrainingData
from trainer.evaluation import diversity_curve
from trainer.evaluation.diversity_curve import measure_diversity_curve
from trainer.evaluation.final_lists import FinalOrder, ServedCandidates, score_retrieved
from trainer.evaluation.quality import build_list_evaluator
from trainer.ranking.rerank import ScoredLists

CUT, USERS = 1_000, 60
VECTORS = np.array([[0, 0], [1, 0], [2, 0], [0, 3], [-1, 0], [5, 5]], np.float32)
SECOND, FOURTH = 1 / np.log2(3), 1 / np.log2(5)


def candidates(users: int, history: int = 5) -> ServedCandidates:
    lists = ScoredLists(
        np.tile([1, 2, 3, 4, 5], (users, 1)), np.tile([3.0, 2.0, 1.0, 0.0], (users, 1))
    )
    return ServedCandidates(lists, np.full((users, 1), history))


def final(diversity: float, calibration: float = 0.0) -> FinalOrder:
    items = dataclasses.replace(
        build_candidates(list("abcde"), np.pad(VECTORS[1:], [(0, 0), (0, 1)])),
        filters=pa.array([["x"], ["x"], ["y"], ["y"], []], pa.large_list(pa.large_binary())),
    )
    return FinalOrder("ranking", diversity, create_array_order(items, calibration))


@pytest.fixture(scope="module")
def data(timelines_of):
    names = np.array([b"", b"a", b"b", b"c", b"d", b"e"], object)
    graph: Any = types.SimpleNamespace(vocabulary_by_name=lambda name: [b"x", b"y"])
    dataset = Dataset.model_validate(
        {
            "data": {"interactions": {"path": "e.csv"}, "items": {"path": "i.csv"}},
            "features": {"items": {"studio": {"kind": "category"}}},
        }
    )
    users = [b"%03d" % user for user in range(USERS)]
    return TrainingData(
        dataset=dataset,
        items_graph=graph,
        timelines_graph=graph,
        catalogue=Catalogue(names, names, {"studio": np.array([0, 1, 1, 2, 2, 0])}),
        train=timelines_of([(user, 1, [5], [n], 0) for n, user in enumerate(users)]),
        valid=timelines_of([(users[0], 1, [5], [0], 1)]),
        test=timelines_of([(user, 1, [5, 2], [n, CUT], 1) for n, user in enumerate(users)]),
    )


@pytest.fixture(scope="module")
def curve(data):
    """curve(default, fairness) -> the curve."""
    queries = build_queries(data.test, CUT)
    evaluator = build_list_evaluator(queries, data.clock(data.train, data.valid), VECTORS, data)

    def measure(default: float = 0.0, fairness: tuple[FairnessConfig, ...] = ()) -> dict[str, Any]:
        return measure_diversity_curve(
            evaluator, candidates(USERS), final(default), list(fairness), data
        )

    return measure


def test_scored_items_are_diversified_and_the_others_follow():
    lists = candidates(300)  # more than a block
    lists.lists.items[7] = [1, 2, 3, 0, 0]
    result = final(0.5).apply(lists, 0.5, 100)
    assert result[:3].tolist() == [[1, 4, 3, 2, 5]] * 3
    assert result[299].tolist() == [1, 4, 3, 2, 5]
    assert result[7].tolist() == [1, 3, 2, 0, 0]
    assert final(0.5).apply(lists, 0.0, 100).tolist() == lists.lists.items.tolist()
    assert lists.lists.items[0].tolist() == [1, 2, 3, 4, 5]


def test_lists_are_calibrated_to_each_users_own_history():
    """Whose only item is of studio y, gets c and d first; whose item has no studio, no change."""
    lists = dataclasses.replace(candidates(2), history=np.array([[0, 4], [0, 5]]))
    result = final(0.0, calibration=0.9).apply(lists, 0.0, 100)
    assert result.tolist() == [[3, 4, 1, 2, 5], [1, 2, 3, 4, 5]]
    swapped = final(0.0, calibration=0.9).apply(lists.select(np.array([1, 0])), 0.0, 100)
    assert swapped.tolist() == result[::-1].tolist()


def test_retrievals_scores_are_dot_products_with_popularity():
    vectors = np.array([[0, 0, 0], [1, 0, 2], [0, 1, 4]], np.float32)
    queries = np.array([[3, 5, 0.5], [1, 1, 0]], np.float32)
    scored = score_retrieved(np.array([[2, 1], [1, 2]]), queries, vectors, 1)
    assert scored.scores.tolist() == [[7], [1]]
    assert scored.items.tolist() == [[2, 1], [1, 2]]


def test_accuracy_and_coverage_at_each_level(curve):
    """The five items are in every list, so diversity and coverage are constant."""
    measured = curve()
    assert measured["users"] == USERS
    levels = {point["diversity"]: point["ndcg@10"] for point in measured["points"]}
    expected = {0.0: SECOND, 0.1: SECOND, 0.2: SECOND, 0.3: SECOND, 0.5: FOURTH, 0.8: FOURTH}
    assert levels == pytest.approx(expected)
    # Cosines: a b 1, a d and b d -1, c with these 0, and e with a, b, c, d 0.707, -0.707 for d.
    distance = 1 - (1 - 1 - 1 + 2 * 0.5**0.5) / 10
    for point in measured["points"]:
        assert point["coverage@10"] == 1
        assert point["diversity@10"] == pytest.approx(distance)
        assert point["gaps"] == {}


def test_the_default_is_a_point(curve):
    levels = [point["diversity"] for point in curve(0.4)["points"]]
    assert levels == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.8]


def test_the_gap_of_a_declared_group(curve):
    """x has the first two of five positions, then the first and the fourth, and all relevance."""
    weights = 1 / np.log2(np.arange(2, 7))
    points = curve(0.0, (FairnessConfig(groups="items.studio"),))["points"]
    gaps = {point["diversity"]: point["gaps"] for point in points}
    assert gaps[0.0] == pytest.approx({"items.studio": 1 - weights[:2].sum() / weights.sum()})
    assert gaps[0.8] == pytest.approx({"items.studio": 1 - weights[[0, 3]].sum() / weights.sum()})


def test_at_most_some_users_are_sampled(curve, monkeypatch):
    monkeypatch.setattr(diversity_curve, "_MOST_USERS", 7)
    assert curve()["users"] == 7
