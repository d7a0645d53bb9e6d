"""Choices follow the softmax, never repeat, never precede a birth."""

import numpy as np
import pytest

from pipeline.simulator import choices
from pipeline.simulator.catalogue import Catalogue, LifeCurves, draw_catalogue
from pipeline.simulator.choices import (
    ChosenPairs,
    Proposals,
    compute_day_weights,
    draw_choices,
    split_blocks,
)
from pipeline.simulator.users import Schedule, Users, draw_schedule, draw_users

START = 1_704_067_200


def _items(tastes, popularity, births):
    n = len(tastes)
    return Catalogue(
        taste=np.eye(8)[tastes],
        popularity=np.array(popularity),
        life=LifeCurves(np.array(births), np.full(n, 10.0), np.zeros(n)),
        quality=np.zeros(n),
        price=np.ones(n),
        category=np.zeros(n, dtype=np.int64),
        titles=["Blue Linen Jacket"] * n,
        tags=np.zeros((n, 3), dtype=np.int64),
        category_taste=np.eye(8),
    )


def _people(tastes):
    n = len(tastes)
    return Users(
        taste=np.eye(8)[tastes],
        region=np.zeros(n, dtype=np.int64),
        joined=np.zeros(n),
        activity=np.ones(n),
        device=np.full((n, 3), 1 / 3),
        thrift=np.ones(n),
    )


def _choices(catalogue, users, schedule):
    drawn = draw_choices(np.random.default_rng(4), catalogue, users, schedule)
    return np.concatenate([items for _, items in drawn])


def test_first_choices_follow_the_softmax_by_hand():
    # One user taste e0; items e0, e1 of equal popularity: e^6 against e^0.
    n = 40_000
    catalogue = _items([0, 1], [0.5, 0.5], [-100, -100])
    schedule = Schedule(np.arange(n), np.full(n, START))
    items = _choices(catalogue, _people([0] * n), schedule)
    expected = 1 / (1 + np.exp(6.0))  # 0.00247
    assert (items == 1).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / n))


def test_popularity_and_taste_multiply():
    # With e0 at 1/403.43 of the popularity of e1, both are equally likely, for e^6 = 403.43.
    n = 40_000
    catalogue = _items([0, 1], [1 / 404.43, 403.43 / 404.43], [-100, -100])
    items = _choices(catalogue, _people([0] * n), Schedule(np.arange(n), np.full(n, START)))
    assert (items == 0).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(n))


def test_a_second_choice_is_drawn_from_the_remaining_items():
    catalogue = _items([0, 0, 1], [0.6, 0.2, 0.2], [-100] * 3)
    users = np.repeat(np.arange(300), 3)
    schedule = Schedule(users, np.full(900, START))
    items = _choices(catalogue, _people([0] * 300), schedule).reshape(300, 3)
    assert all(sorted(row) == [0, 1, 2] for row in items.tolist())
    # e^6 = 403: compared with items 0 and 1 its odds are 1 in 1,600, with item 1 alone 1 in 400,
    # with item 0 alone 1 in 1,200. Otherwise item 2 is last.
    assert (items[:, 2] == 2).mean() > 0.98
    # Of the others item 0 comes first in three of four: 0.6 against 0.2.
    assert (items[:, 0] == 0).mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 300))


def test_nothing_is_chosen_before_its_birth():
    catalogue = _items([0, 0], [0.01, 0.99], [-100, 5])
    n = 500
    times = START + np.repeat([4, 5], n // 2) * 86_400
    items = _choices(catalogue, _people([0] * n), Schedule(np.arange(n), times))
    assert (items[: n // 2] == 0).all()
    assert (items[n // 2 :] == 1).mean() > 0.9


def test_a_whole_shop_never_repeats_and_never_precedes_a_birth():
    rng = np.random.default_rng(6)
    catalogue = draw_catalogue(rng, 200)
    users = draw_users(rng, 150, catalogue.category_taste)
    schedule = draw_schedule(rng, users, 5000, cap=55)
    items = _choices(catalogue, users, schedule)
    assert len(set(zip(schedule.users.tolist(), items.tolist(), strict=True))) == 5000
    day = (schedule.timestamps - START) // 86_400
    assert (catalogue.life.birth[items] <= day).all()
    affinity = np.einsum("nd,nd->n", users.taste[schedule.users], catalogue.taste[items])
    assert affinity.mean() > (users.taste @ catalogue.taste.T).mean() + 0.3


def test_day_weights_by_hand():
    catalogue = _items([0, 1], [0.25, 0.75], [-100, 3])
    np.testing.assert_allclose(compute_day_weights(catalogue, 2), [0.25, 0.0])
    np.testing.assert_allclose(compute_day_weights(catalogue, 3), [0.25, 0.75])


def test_proposals_follow_their_weights_and_never_run_out():
    proposals = Proposals(np.random.default_rng(8), np.array([0.0, 3.0, 1.0, 0.0]), size=1000)
    drawn = np.concatenate([proposals.draw(700) for _ in range(60)])
    assert len(drawn) == 42_000
    assert set(drawn.tolist()) == {1, 2}
    assert (drawn == 1).mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 42_000))
    # Draws are independent.
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.03


def test_chosen_distinguishes_new_and_old_pairs():
    chosen = ChosenPairs(items=10)
    first = chosen.add_new(np.array([1, 1, 1, 2]), np.array([3, 3, 4, 3]))
    assert first.tolist() == [True, False, True, True]
    assert chosen.add_new(np.array([1, 0]), np.array([4, 4])).tolist() == [False, True]
    chosen.close_block()
    assert chosen.add_new(np.array([2, 3]), np.array([3, 3])).tolist() == [False, True]


def test_blocks_cut_days_and_long_days(monkeypatch):
    monkeypatch.setattr(choices, "MAX_BLOCK_EVENTS", 2)
    times = START + np.array([10, 20, 30, 86_400, 3 * 86_400])
    assert list(split_blocks(times)) == [
        (0, slice(0, 2)),
        (0, slice(2, 3)),
        (1, slice(3, 4)),
        (3, slice(4, 5)),
    ]
