"""Maximal marginal relevance, with orders computed by hand.

    item       a      b      c      d       cosines: a b 1, d with a or b -1, c with any 0
    relevance  3      2      1      0       mean 1.5, deviation 1.118
    vector   (1,0)  (2,0)  (0,3)  (-1,0)    mean cosine -1/6, deviation 0.687

Standardised, relevance is 1.342, 0.447, -0.447, -1.342, and the cosines 1, 0, -1 are 1.698, 0.243,
-1.213.
"""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.graph.diversity import STEPS, Pool, diversify

RELEVANCE = [3.0, 2.0, 1.0, 0.0]
VECTORS = [[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]]
SPECS = [
    Pool(
        tf.TensorSpec([None, None]),
        tf.TensorSpec([None, None, None]),
        tf.TensorSpec([None, None], tf.bool),
    ),
    tf.TensorSpec([None]),
    tf.TensorSpec([], tf.int32),
]
TRACED = tf.function(diversify, input_signature=SPECS)


def order(relevance, vectors, diversity, eligible=None, length=STEPS):
    """The orders [b][c] of `b` pools."""
    relevance = np.array(relevance, np.float32)
    mask = np.ones(relevance.shape, bool) if eligible is None else np.array(eligible)
    pool = Pool(relevance, np.array(vectors, np.float32), mask)
    return TRACED(pool, np.array(diversity, np.float32), length).numpy().tolist()


@pytest.mark.parametrize(
    ("diversity", "expected"),
    [
        (0.2, "abcd"),  # second: b 0.358 - 0.340, c -0.358 - 0.049, d -1.073 + 0.243
        (0.5, "adcb"),  # second: b 0.224 - 0.849, c -0.224 - 0.121, d -0.671 + 0.606
        (1.0, "adcb"),  # the first is the most relevant all the same
    ],
)
def test_orders_computed_by_hand(diversity, expected):
    (result,) = order([RELEVANCE], [VECTORS], [diversity])
    assert "".join("abcd"[i] for i in result) == expected


def test_each_row_has_its_own_diversity_and_padding_stays_behind():
    """The padding's values do not matter: the orders are those without it."""
    padding, vector = [-np.inf, 0.0], [[9.0, 9.0], [0.0, 0.0]]
    result = order(
        [RELEVANCE + padding] * 2,
        [VECTORS + vector] * 2,
        [0.2, 0.5],
        [[True] * 4 + [False] * 2] * 2,
    )
    assert result == [[0, 1, 2, 3, 4, 5], [0, 3, 2, 1, 4, 5]]


def test_only_the_first_items_are_selected_and_the_others_follow_by_relevance():
    assert order([RELEVANCE], [VECTORS], [0.5], length=2) == [[0, 3, 1, 2]]


@pytest.mark.parametrize("diversity", [0.0, 0.5, 1.0])
def test_equally_similar_items_keep_their_order(diversity):
    assert order([RELEVANCE], [[[3.0, 1.0]] * 4], [diversity]) == [[0, 1, 2, 3]]
    assert order([RELEVANCE], [[[0.0, 0.0]] * 4], [diversity]) == [[0, 1, 2, 3]]


def test_equally_relevant_items_are_ordered_by_dissimilarity():
    """After a: d is opposite, c is orthogonal, b is parallel."""
    assert order([[7.0] * 4], [VECTORS], [0.1]) == [[0, 3, 2, 1]]


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_items_have_no_other_order(count):
    eligible = [[i < count for i in range(4)]]
    assert order([RELEVANCE], [VECTORS], [0.5], eligible) == [[0, 1, 2, 3]]


@st.composite
def pools(draw):
    seed, count, dim = draw(st.tuples(st.integers(0, 999), st.integers(1, 130), st.integers(1, 5)))
    rng = np.random.default_rng(seed)
    return -np.sort(-rng.normal(size=count)), rng.normal(size=(count, dim)), count


@settings(max_examples=40, deadline=None)
@given(pools(), st.floats(0, 1), st.integers(1, 120))
def test_an_order_has_every_item_once_whatever_the_scale_and_the_batch(pool, diversity, length):
    relevance, vectors, count = pool
    (result,) = order([relevance], [vectors], [diversity])
    assert sorted(result) == list(range(count))
    assert result[0] == 0
    (shorter,) = order([relevance], [vectors], [diversity], length=length)
    assert shorter[:length] == result[: min(length, STEPS)] + shorter[STEPS:length]
    joined = order([relevance] * 3, [vectors, -vectors, vectors], [0.9, 0.1, diversity])
    assert joined[2] == result


@settings(max_examples=20, deadline=None)
@given(pools(), st.sampled_from([0.25, 0.5, 0.75]))
def test_neither_the_scale_of_relevance_nor_the_length_of_vectors_matters(pool, diversity):
    """Powers of two, which scale without rounding."""
    relevance, vectors, _ = pool
    scaled = order([relevance * 8], [vectors * 4], [diversity])
    assert scaled == order([relevance], [vectors], [diversity])


def test_lists_become_more_diverse_and_less_relevant():
    """Twelve clusters of items, of which a user prefers a few: mean distance within lists of ten
    increases with each step, and their relevance decreases.
    """
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(12, 8))
    vectors = np.repeat(centres, 25, axis=0) + 0.3 * rng.normal(size=(300, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    relevance = vectors @ rng.normal(size=(8, 50))
    best = np.argsort(-relevance, axis=0)[:120].T
    sorted_relevance = np.take_along_axis(relevance.T, best, axis=1)
    distances, means = [], []
    for diversity in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        heads = np.array(order(sorted_relevance, vectors[best], [diversity] * 50, length=10))[
            :, :10
        ]
        chosen = np.take_along_axis(vectors[best], heads[..., None], axis=1)
        cosines = np.einsum("bid,bjd->bij", chosen, chosen)
        distances.append(1 - (cosines.sum() - 500) / (50 * 90))
        means.append(np.take_along_axis(sorted_relevance, heads, axis=1).mean())
    assert distances == sorted(distances)
    assert distances[-1] > distances[0] + 0.2
    assert means == sorted(means, reverse=True)
