"""The oracle by hand on a world of three items, and compared with other rankers on a whole shop."""

import math

import numpy as np
import pytest

from pipeline.simulator.catalogue import Catalogue, LifeCurves, draw_catalogue
from pipeline.simulator.ceiling import (
    compute_scores,
    find_cut_time,
    make_oracle,
    make_popularity_scorer,
    select_test_queries,
)
from pipeline.simulator.choices import compute_day_weights, draw_choices
from pipeline.simulator.users import Users, draw_schedule, draw_users
from pipeline.simulator.world import compute_days


@pytest.fixture
def three_items():
    return Catalogue(
        taste=np.eye(8)[[0, 1, 2]],
        popularity=np.array([0.2, 0.3, 0.5]),
        life=LifeCurves(np.array([-900, -900, 1]), np.full(3, 10.0), np.zeros(3)),
        quality=np.zeros(3),
        price=np.ones(3),
        category=np.zeros(3, dtype=np.int64),
        titles=["Blue Linen Jacket"] * 3,
        tags=np.zeros((3, 3), dtype=np.int64),
        category_taste=np.eye(8),
    )


@pytest.fixture
def one_user():
    return Users(
        taste=np.eye(8)[[0]],
        region=np.zeros(1, dtype=np.int64),
        joined=np.zeros(1),
        activity=np.ones(1),
        device=np.full((1, 3), 1 / 3),
        thrift=np.ones(1),
    )


def test_expected_choice_over_two_days_by_hand(three_items, one_user):
    # Day 0 (a quarter of the test events) knows items 0 and 1, day 1 all three.
    scorer = make_oracle(three_items, one_user, np.array([0, 1, 1, 1]))
    scores = scorer(np.array([0]), np.zeros((1, 3), dtype=bool))[0]
    e = math.exp(6)
    before, after = 0.2 * e + 0.3, 0.2 * e + 0.8
    expected = [
        0.25 * 0.2 * e / before + 0.75 * 0.2 * e / after,
        0.25 * 0.3 / before + 0.75 * 0.3 / after,
        0.75 * 0.5 / after,
    ]
    np.testing.assert_allclose(scores, expected)
    assert sum(expected) == pytest.approx(1.0)


def test_interacted_items_leave_their_share_to_the_others(three_items, one_user):
    interacted = np.array([[True, False, False]])
    scores = make_oracle(three_items, one_user, np.array([1]))(np.array([0]), interacted)[0]
    np.testing.assert_allclose(scores, [0.0, 0.3 / 0.8, 0.5 / 0.8])


def test_the_ceiling_of_three_items_by_hand(three_items, one_user):
    # Item 0 is in the history; the oracle ranks 2 before 1; the user consumed 1, which is second.
    queries = select_test_queries(
        np.array([0, 0]), np.array([0, 1]), np.array([False, True]), at_most=10
    )
    scores = compute_scores(queries, 3, make_oracle(three_items, one_user, np.array([1])))
    assert scores["ndcg@10"] == pytest.approx(1 / math.log2(3))
    assert scores["recall@10"] == 1.0


def test_popularity_ranks_by_count_then_by_number():
    scorer = make_popularity_scorer(np.array([2, 2, 3, 1, 1]), items=5)
    ranked = np.argsort(-scorer(np.array([0]), np.zeros((1, 5), dtype=bool))[0])
    assert ranked.tolist() == [1, 2, 3, 0, 4]


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(14)
    catalogue = draw_catalogue(rng, 400)
    users = draw_users(rng, 1500, catalogue.category_taste)
    schedule = draw_schedule(rng, users, 24_000, cap=110)
    items = np.concatenate([i for _, i in draw_choices(rng, catalogue, users, schedule)])
    return catalogue, users, schedule, items


def _rankers(catalogue, users, schedule, items, test):
    """Rankers that a method could use; some of them know part of the world."""
    last_week = schedule.timestamps >= schedule.timestamps[test][0] - 7 * 86_400
    last_day = int(compute_days(schedule.timestamps)[-1])
    noise = np.random.default_rng(15).random((len(users), len(catalogue)))
    taste = users.taste @ catalogue.taste.T
    return {
        "popular": make_popularity_scorer(items[~test], len(catalogue)),
        "recent": make_popularity_scorer(items[~test & last_week], len(catalogue)),
        "random": lambda who, interacted: noise[who],
        "taste alone": lambda who, interacted: taste[who],
        "taste and popularity": lambda who, interacted: (
            np.log(catalogue.popularity) + 6 * taste[who]
        ),
        "weaker taste": lambda who, interacted: (
            np.log(compute_day_weights(catalogue, last_day) + 1e-12) + 3 * taste[who]
        ),
    }


def test_no_ranker_passes_the_ceiling(shop):
    catalogue, users, schedule, items = shop
    test = schedule.timestamps >= find_cut_time(schedule.timestamps, 0.1)
    queries = select_test_queries(schedule.users, items, test, at_most=10_000)
    best = compute_scores(
        queries,
        len(catalogue),
        make_oracle(catalogue, users, compute_days(schedule.timestamps[test])),
    )
    for name, scorer in _rankers(catalogue, users, schedule, items, test).items():
        reached = compute_scores(queries, len(catalogue), scorer)
        assert all(reached[measure] <= best[measure] for measure in best), (name, reached, best)
    assert (
        best["ndcg@10"]
        > 2
        * compute_scores(
            queries, len(catalogue), make_popularity_scorer(items[~test], len(catalogue))
        )["ndcg@10"]
    )
