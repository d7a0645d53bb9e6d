"""Users: new ones late in the period, and tastes that partly depend on the region."""

import numpy as np
import pytest

from pipeline.simulator.users import draw_users
from pipeline.simulator.world import draw_directions


@pytest.fixture(scope="module")
def users():
    rng = np.random.default_rng(5)
    return draw_users(rng, 3000, draw_directions(rng, 16))


def test_new_users_come_late(users):
    assert (users.joined >= 96).mean() == pytest.approx(0.12)
    assert (users.joined == 0).mean() == pytest.approx(0.6)
    assert users.joined.max() <= 119


def test_neighbours_are_more_similar_than_random_items(users):
    likeness = users.taste @ users.taste.T
    same = users.region[:, None] == users.region
    apart = ~np.eye(3000, dtype=bool)
    assert likeness[same & apart].mean() > likeness[~same].mean() + 0.02


def test_tastes_have_length_one_and_device_shares_sum_to_one(users):
    np.testing.assert_allclose((users.taste**2).sum(axis=1), 1.0)
    np.testing.assert_allclose(users.device.sum(axis=1), 1.0)


def test_activity_is_long_tailed(users):
    busiest = np.sort(users.activity)[::-1]
    assert busiest[:300].sum() > 0.3 * busiest.sum()
