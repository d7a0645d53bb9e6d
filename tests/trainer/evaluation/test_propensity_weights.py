"""A log whose impressions show item 1 nine times as often as item 2: users who like item 2 had few
occasions to click it.
"""

import dataclasses
import types
from typing import Any

import numpy as np
import pytest

from schema.dataset import Dataset
from schema.evaluation_summary import RankingSummary, RetrievalSummary
from trainer.data.catalogue import Catalogue
from trainer.data.evaluation_queries import build_queries
from trainer.data.shown_items import ShownItems
from trainer.data.training_data import TrainingData
from trainer.evaluation.quality import build_list_evaluator
from trainer.evaluation.stage_quality import StageLists, evaluate_stages

CUT, OFTEN, SELDOM = 1_000, 120, 60
RARE = 91 / 11  # weight of item 2: (90 + 1) / 102 and (10 + 1) / 102 are the propensities


@pytest.fixture(scope="module")
def data(timelines_of):
    """100 impressions in train, all with a click on item 3: 90 also showed item 1, ten item 2. In
    test 120 users click item 1 and 60 item 2.
    """
    ids = [b"%03d" % user for user in range(OFTEN + SELDOM)]
    names = np.array([b"", b"a", b"b", b"c"], object)
    nothing: Any = types.SimpleNamespace()
    train = timelines_of([(user, n, [3], [n], 0) for n, user in enumerate(ids[:100])])
    shown = ShownItems(np.repeat([1, 2], [90, 10]).astype(np.int32), np.arange(101))
    clicks = [1] * OFTEN + [2] * SELDOM
    return TrainingData(
        dataset=Dataset.model_validate(
            {"data": {"interactions": {"path": "e.csv"}, "items": {"path": "i.csv"}}}
        ),
        items_graph=nothing,
        timelines_graph=nothing,
        catalogue=Catalogue(names, names, {}),
        train=dataclasses.replace(train, shown=shown),
        valid=timelines_of([(ids[0], 0, [3], [0], 1)]),
        test=timelines_of([(u, n, [clicks[n]], [CUT], 0) for n, u in enumerate(ids)]),
    )


@pytest.fixture(scope="module")
def summary(data):
    """Retrieval ranks the seldom shown item only, ranking both, the baseline the other one only."""

    def same(row: list[int]) -> np.ndarray:
        return np.tile(row, (OFTEN + SELDOM, 1))

    clock, propensities = data.clock(data.train), data.propensities(data.train, data.valid)
    queries = build_queries(data.test, CUT)
    evaluator = build_list_evaluator(queries, clock, np.eye(4), data, propensities)
    lists = StageLists(
        retrieval=same([2, 0]),
        reranked=same([2, 1]),
        served=same([2, 1]),
        order="ranking",
        baselines={"popular": same([1, 0])},
        pushed=None,
    )
    return evaluate_stages(evaluator, lists).as_json()


def test_plain_recall_prefers_the_often_shown_item_and_the_weighted_one_the_better_item(summary):
    retrieval, popular = summary["retrieval"], summary["retrieval"]["baselines"]["popular"]
    assert (retrieval["recall@10"], popular["recall@10"]) == (1 / 3, 2 / 3)
    total = OFTEN + SELDOM * RARE
    assert retrieval["snips_recall@10"] == pytest.approx(SELDOM * RARE / total)
    assert popular["snips_recall@10"] == pytest.approx(OFTEN / total)
    against = retrieval["against"]["popular"]
    assert against["recall@10"]["verdict"] == against["ndcg@10"]["verdict"] == "worse"
    for metric in ("snips_recall@10", "snips_ndcg@10", "snips_recall@100"):
        assert against[metric]["verdict"] == "better"
        assert against[metric]["value"] == pytest.approx((SELDOM * RARE - OFTEN) / total)
        bounds = retrieval["intervals"][metric]
        assert bounds["low"] < retrieval[metric] < bounds["high"]


def test_final_lists_have_them_too(summary):
    total = OFTEN + SELDOM * RARE
    final = RankingSummary.model_validate(summary["ranking"])
    assert final.metrics["snips_recall@10"] == pytest.approx(1)
    second = (SELDOM * RARE + OFTEN / np.log2(3)) / total
    assert final.metrics["snips_ndcg@10"] == pytest.approx(second)
    assert final.against["retrieval"]["snips_ndcg@10"].verdict == "better"


def test_the_summary_states_what_weights_are_based_on(summary):
    weights = RetrievalSummary.model_validate(summary["retrieval"]).propensities
    assert weights is not None
    effective = (OFTEN + SELDOM * RARE) ** 2 / (OFTEN + SELDOM * RARE**2)
    assert weights.effective_users == pytest.approx(effective)
    assert (weights.impressions, weights.relevant) == (100, 180)
    assert (weights.clip, weights.clipped, weights.never_shown) == (10, 0, 0)
    assert summary["retrieval"]["against"]["popular"]["snips_ndcg@10"]["users"] == int(effective)


def test_items_first_shown_after_the_cut_are_counted_and_clipped(data):
    late = dataclasses.replace(data.train.shown, items=np.ones(100, np.int32))
    train = dataclasses.replace(data.train, shown=late)
    queries = build_queries(data.test, CUT)
    counted = data.propensities(train)
    evaluator = build_list_evaluator(queries, data.clock(train), np.eye(4), data, counted)
    assert evaluator.weights is not None
    weights = evaluator.weights.describe()
    assert (weights["never_shown"], weights["clipped"]) == (SELDOM, SELDOM)


def test_a_log_without_impressions_has_no_weighted_metrics(data):
    train = dataclasses.replace(data.train, shown=None)
    queries = build_queries(data.test, CUT)
    counted = data.propensities(train, data.valid)
    evaluator = build_list_evaluator(queries, data.clock(train), np.eye(4), data, counted)
    lists = evaluator.evaluate(np.tile([2, 1], (len(queries), 1)))
    both = lists.summary().keys() | lists.compare_with({"itself": lists})["itself"].keys()
    assert not [name for name in both if name.startswith("snips")]
