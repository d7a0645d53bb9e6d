"""Purchases and ratings can be learned: they depend on affinity, price and quality."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.simulator.catalogue import draw_catalogue
from pipeline.simulator.choices import draw_outcomes
from pipeline.simulator.users import draw_users

N = 20_000


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(9)
    catalogue = draw_catalogue(rng, 300)
    return catalogue, draw_users(rng, 200, catalogue.category_taste)


def _affinity(catalogue, users, user_rows, item_rows):
    return np.einsum("nd,nd->n", users.taste[user_rows], catalogue.taste[item_rows])


def test_items_with_affinity_are_bought_and_liked_more(shop):
    catalogue, users = shop
    rng = np.random.default_rng(10)
    user_rows, item_rows = rng.integers(200, size=N), rng.integers(300, size=N)
    outcomes = draw_outcomes(rng, catalogue, users, user_rows, item_rows)
    affinity = _affinity(catalogue, users, user_rows, item_rows)
    good, bad = affinity > 0.4, affinity < -0.4
    assert outcomes.purchase[good].mean() > outcomes.purchase[bad].mean() + 0.15
    assert outcomes.rating[good].mean() > outcomes.rating[bad].mean() + 0.8


def test_a_dear_item_is_bought_less_than_a_cheap_one(shop):
    catalogue, users = shop
    thrifty = replace(users, thrift=np.full(200, 2.0))
    rng = np.random.default_rng(11)
    user_rows, item_rows = rng.integers(200, size=N), rng.integers(300, size=N)
    bought = draw_outcomes(rng, catalogue, thrifty, user_rows, item_rows).purchase
    dear = catalogue.price[item_rows] > np.median(catalogue.price)
    assert bought[~dear].mean() > bought[dear].mean() + 0.2


def test_ratings_are_halves_from_one_to_five(shop):
    catalogue, users = shop
    rng = np.random.default_rng(12)
    user_rows, item_rows = rng.integers(200, size=N), rng.integers(300, size=N)
    outcomes = draw_outcomes(rng, catalogue, users, user_rows, item_rows)
    assert set(outcomes.rating.tolist()) == {1 + i / 2 for i in range(9)}
    assert set(outcomes.purchase.tolist()) == {0, 1}
    assert set(outcomes.device.tolist()) == {0, 1, 2}


def test_devices_follow_the_users_liking(shop):
    catalogue, users = shop
    desktop_only = replace(users, device=np.tile([0.0, 1.0, 0.0], (200, 1)))
    rng = np.random.default_rng(13)
    user_rows, item_rows = rng.integers(200, size=1000), rng.integers(300, size=1000)
    assert (draw_outcomes(rng, catalogue, desktop_only, user_rows, item_rows).device == 1).all()
