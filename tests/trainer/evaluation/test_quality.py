import dataclasses
import json

import numpy as np
import pytest

from trainer.data.catalogue import Catalogue
from trainer.data.evaluation_queries import build_queries
from trainer.data.popularity import build_clock
from trainer.data.training_data import TrainingData
from trainer.evaluation.baselines.rank import rank_baselines
from trainer.evaluation.quality import build_list_evaluator
from trainer.evaluation.slices import slice_items, slice_users

CUT, USERS = 1_000, 100
DAY = 86_400
SECOND = 1 / np.log2(3)


@pytest.fixture(scope="module")
def data(planted, timelines_of):
    """Even users have consumed item 1 and then consume 2; odd ones are new and consume 3 two days
    later.
    """
    even, odd = range(0, USERS, 2), range(1, USERS, 2)
    history = timelines_of([(b"%d" % user, 1, [1], [user], 0) for user in even])
    queries = [(b"%d" % user, 1, [1, 2], [user, CUT], 1) for user in even] + [
        (b"%d" % user, 0, [3], [CUT + 2 * DAY], 0) for user in odd
    ]
    region = np.array([1] * 50 + [0] * 50)
    device = np.array([2, 1] * 50 + [2] * 50)  # even users consume 2 on their phone
    return TrainingData(
        dataset=planted.dataset,
        items_graph=planted.items_graph,
        timelines_graph=planted.timelines_graph,
        catalogue=Catalogue(
            item_ids=np.array([b"", b"a", b"b", b"c"], object),
            titles=np.array([b"", b"a", b"b", b"c"], object),
            features={
                "genres": np.array([[0, 0], [1, 2], [1, 0], [0, 0]]),  # crime drama, crime, none
                "studio": np.array([0, 1, 1, 0]),
            },
        ),
        train=history,
        valid=timelines_of([(b"0", 1, [1], [0], 1)]),
        test=timelines_of(queries, users={"region": region}, context={"device": device}),
    )


@pytest.fixture(scope="module")
def evaluator(data):
    queries = build_queries(data.test, CUT)
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    return build_list_evaluator(queries, data.clock(data.train, data.valid), vectors, data)


@pytest.fixture(scope="module")
def even(evaluator):
    """[users] bool, in the order of the queries."""
    return np.array([len(items) == 1 for items in evaluator.queries.interacted])


def same_for_all(evaluator, row):
    return evaluator.evaluate(np.tile(row, (USERS, 1)))


def test_values_of_the_data_name_the_slices(data, evaluator, even):
    users = slice_users(evaluator.queries, data)
    assert {part.name: part.chosen.tolist() for part in users["user_region"]} == {
        "north": even.tolist(),
        "no known value": (~even).tolist(),
    }
    of_items = slice_items(np.array([1, 2, 3]), data)
    assert of_items.keys() == {"item_genres", "item_studio"}  # text and numbers have no slices
    genres = {part.name: part.chosen.tolist() for part in of_items["item_genres"]}
    assert genres == {
        "crime": [True, True, False],
        "drama": [True, False, False],
        "no known value": [False, False, True],
    }


def test_summary_has_every_metric_and_intervals_of_means_over_users(evaluator):
    summary_values = same_for_all(evaluator, [2, 3]).summary()
    # even users' relevant item is first, odd ones' second
    assert summary_values["recall@5"] == summary_values["hit_rate@100"] == 1
    assert summary_values["ndcg@10"] == pytest.approx((1 + SECOND) / 2)
    assert summary_values["mrr@20"] == pytest.approx((1 + 1 / 2) / 2)
    assert summary_values["coverage@10"] == pytest.approx(2 / 3)
    assert summary_values["novelty@10"] == pytest.approx(
        np.log2(51)
    )  # the list's items are relevant for none of 50 users
    assert summary_values["diversity@10"] == pytest.approx(2)
    assert summary_values["head_share@10"] == 0
    assert summary_values["gini@10"] == pytest.approx(1 / 3)
    half = 1.96 * (1 - SECOND) / 2 / USERS**0.5
    bounds = summary_values["intervals"]["ndcg@10"]
    assert bounds["low"] == pytest.approx(summary_values["ndcg@10"] - half, abs=0.15 * half)
    assert bounds["high"] == pytest.approx(summary_values["ndcg@10"] + half, abs=0.15 * half)
    assert summary_values["intervals"].keys().isdisjoint({"coverage@10", "gini@10"})


def test_slices_by_hand(evaluator):
    result = same_for_all(evaluator, [2, 3]).slices()
    assert result.keys() == {
        "history", "activity", "popularity", "days since the cut", "user_region", "item_genres",
        "item_studio", "context_device",
    }  # fmt: skip
    assert result["history"]["warm users"]["ndcg@10"]["value"] == 1
    assert result["history"]["new users"]["ndcg@10"]["value"] == pytest.approx(SECOND)
    assert result["user_region"]["north"]["ndcg@10"]["value"] == 1
    assert result["activity"].keys() == {"1 item"}
    assert result["popularity"]["new items"]["answers"] == USERS
    assert result["popularity"]["head items"]["note"] == "no test user is in this slice"
    first, later = (result["days since the cut"][name] for name in ("day 0-1", "day 1-7"))
    assert first["answers"] == later["answers"] == USERS / 2
    only_2 = same_for_all(evaluator, [2, 0]).slices()
    assert only_2["item_genres"]["crime"]["recall@10"]["value"] == 1
    assert only_2["item_genres"]["no known value"]["recall@10"]["value"] == 0
    assert only_2["context_device"]["phone"]["recall@10"]["value"] == 1
    assert only_2["context_device"]["web"]["recall@10"]["value"] == 0


def test_verdicts_against_others(evaluator):
    ours = same_for_all(evaluator, [2, 3])
    others = {
        "turned": same_for_all(evaluator, [3, 2]),  # as good, for other users
        "wrong": same_for_all(evaluator, [1, 1]),
    }
    result = ours.compare_with(others)
    assert result["turned"]["ndcg@10"]["verdict"] == "inside the noise"
    assert result["wrong"]["ndcg@10"]["verdict"] == "better"
    assert result["wrong"]["ndcg@10"]["value"] == pytest.approx((1 + SECOND) / 2)
    assert others["wrong"].compare_with({"ours": ours})["ours"]["recall@100"]["verdict"] == "worse"


def test_all_of_it_is_json_without_nan(evaluator):
    lists = same_for_all(evaluator, [2, 3])
    results = [lists.summary(), lists.slices(), lists.compare_with({"itself": lists})]
    assert json.loads(json.dumps(results, allow_nan=False)) == results


def test_a_split_by_last_item_has_no_days_since_the_cut(evaluator, data):
    dataset = data.dataset.model_copy(
        update={"split": data.dataset.split.model_copy(update={"kind": "last_item"})}
    )
    changed = dataclasses.replace(data, dataset=dataset)
    clock = data.clock(data.train, data.valid)
    list_evaluator = build_list_evaluator(
        evaluator.queries, clock, evaluator.items.vectors, changed
    )
    assert "days since the cut" not in list_evaluator.item_slices


def test_baselines_use_no_later_events_and_omit_interacted_items(timelines_of):
    train = timelines_of(
        [
            (b"a", 1, [1, 2], [0, DAY], 0),
            (b"b", 2, [1, 2], [0, DAY], 0),
            (b"c", 3, [1, 3], [0, 9 * DAY], 0),
        ]
    )
    test = timelines_of([(b"d", 4, [1, 4], [8 * DAY, 10 * DAY], 1), (b"e", 0, [4], [10 * DAY], 0)])
    queries = build_queries(test, 10 * DAY)
    clock = build_clock([train, test], 5)
    assert "recent" not in rank_baselines(clock, queries, recent_days=None, k=3)
    baselines = rank_baselines(clock, queries, recent_days=3, k=3)
    assert baselines["popular"].tolist() == [[2, 3, 4], [1, 2, 3]]
    assert baselines["recent"].tolist() == [[3, 2, 4], [3, 1, 2]]
    # 1 is followed by 2 twice and by 3 less often; a new user gets popular items
    assert baselines["item_neighbours"].tolist() == [[2, 3, 4], [1, 2, 3]]
