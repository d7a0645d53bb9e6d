"""Calibrated lists, with gains computed by hand.

item        a      b      c      d      e
categories  drama  drama  crime  both   none
"""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from serving.graph.calibration import CategoryShares, add_item, compute_gain
from serving.graph.list_order import create_array_order
from tests.serving.planted_servables import build_candidates

CRIME, DRAMA = 1, 2  # categories are numbered in alphabetical order
FILTERS = pa.array(
    [["drama"], ["drama"], ["crime"], ["crime", "drama"], []], pa.large_list(pa.large_binary())
)
A, B, C, D, E = range(1, 6)


@pytest.fixture(scope="module")
def shares():
    return CategoryShares(FILTERS)


def describe(shares, candidates, history):
    return shares.describe(tf.constant(candidates), tf.constant(history))


def test_an_items_categories_share_it_and_repeated_items_count_each_time(shares):
    history = [[A, A, C, D], [0, 0, 0, C], [0, E, 0, 0]]
    taste = describe(shares, [[A, D, 0]] * 3, history)
    assert taste.shares.numpy().tolist() == [[0, 0.375, 0.625], [0, 1, 0], [0, 0, 0]]
    assert taste.categories.numpy()[0].tolist() == [[DRAMA, 0], [CRIME, DRAMA], [0, 0]]


def test_gains_are_differences_of_the_divergence(shares):
    """A history of half drama, half crime; first on an empty list, then after a. With 1 % of the
    history's shares: an item that is not there adds p * log of the ratio of q.
    """
    taste = describe(shares, [[A, C, D, E]], [[A, C]])
    empty = tf.zeros([1, 3])
    own, other, half = np.log(0.995 / 0.005) / 2, np.log(0.995 / 0.005) / 2, np.log(0.5 / 0.005)
    gains = compute_gain(taste, empty, tf.constant(0)).numpy()
    np.testing.assert_allclose(gains, [[own, other, half, 0]], rtol=1e-5)
    listed = add_item(taste, empty, tf.constant([0]))
    assert listed.numpy().tolist() == [[0, 0, 1]]
    drama = np.log(0.995 / 0.5) / 2  # a second drama: 2 of 2 instead of 1 of 2
    crime = np.log(0.5 / 0.005) / 2
    both = np.log(0.7475 / 0.5) / 2 + np.log(0.2525 / 0.005) / 2
    gains = compute_gain(taste, listed, tf.constant(1)).numpy()
    np.testing.assert_allclose(gains, [[drama, crime, both, 0]], rtol=1e-5)


@pytest.fixture(scope="module")
def planted():
    """100 items of drama, then 100 of crime, then 100 without a category; equal vectors."""
    names = [["drama"]] * 100 + [["crime"]] * 100 + [[]] * 100
    candidates = build_candidates([f"i{n}" for n in range(300)], np.ones((300, 3), np.float32))
    filters = pa.array(names, pa.large_list(pa.large_binary()))
    return candidates.__class__(**(candidates.__dict__ | {"filters": filters}))


def list_first(candidates, calibration, history, relevant, length=10):
    """The first items by category number, for relevance that falls along `relevant`."""
    reorder = create_array_order(candidates, calibration)
    positions = np.array([relevant])
    scores = -np.arange(len(relevant), dtype=np.float32)[np.newaxis]
    order = reorder(positions, scores, np.array([history]), 0.0, length)
    assert sorted(order[0]) == list(range(len(relevant)))
    return positions[0][order[0]][:length]


def test_a_list_has_the_historys_shares(planted):
    """Seven drama and three crime in the history; all drama is more relevant than any crime."""
    history = [1] * 7 + [101] * 3
    relevant = [*range(1, 41), *range(101, 141), *range(201, 211)]
    first = list_first(planted, 0.99, history, relevant)
    assert ((first <= 100).sum(), ((first > 100) & (first <= 200)).sum()) == (7, 3)
    assert first[first <= 100].tolist() == list(range(1, 8))  # the most relevant of each
    assert first[first > 100].tolist() == [101, 102, 103]
    assert list_first(planted, 0.0, history, relevant).tolist() == list(range(1, 11))


def test_a_history_without_categories_changes_nothing(planted):
    relevant = [*range(101, 111), *range(1, 11), 201]
    for history in ([0, 0], [201, 0]):
        assert list_first(planted, 0.9, history, relevant).tolist() == list(range(101, 111))


def test_a_stronger_calibration_diverges_less(planted):
    """The share of crime approaches that of the history, 30 %, from none."""
    history = [1] * 7 + [101] * 3
    relevant = [*range(1, 41), *range(101, 141)]
    crime = [
        int((list_first(planted, weight, history, relevant, 20) > 100).sum())
        for weight in (0.0, 0.3, 0.6, 0.9, 1.0)
    ]
    assert crime == sorted(crime)
    assert (crime[0], crime[-1]) == (0, 6)
