"""Reorders candidates for diversity, by maximal marginal relevance.

Carbonell and Goldstein, The use of MMR, diversity-based reranking, SIGIR 1998: each step selects
the candidate with the greatest (1 - diversity) * relevance - diversity * similarity, where
similarity is the greatest one to the items selected before. Both are standardised over the
candidates of the request, so that a `diversity` has the same meaning for all models: 0.5 weighs a
standard deviation of relevance as much as one of similarity.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from serving.graph.calibration import Taste, add_item, compute_gain

STEPS = 100
"""Greatest number of selected items; the others follow by relevance, which bounds the cost."""
_MIN_DEVIATION = 1e-3
"""Values that deviate less are equal but for rounding."""
_GRID = 1e-4
"""Gains are rounded to it, so that equal candidates tie on every processor."""


class Pool(NamedTuple):
    """The candidates of `b` requests, the most relevant first."""

    relevance: tf.Tensor
    """[b, c] float32."""
    vectors: tf.Tensor
    """[b, c, dim] float32, of any length; similarity is their cosine, 0 with a zero vector."""
    eligible: tf.Tensor
    """[b, c] bool; the others are no items, and stay where they are behind the eligible ones."""


class _Similarity(NamedTuple):
    """What standardised cosines are computed from."""

    units: tf.Tensor
    """[b, c, dim] vectors of length 1, or 0."""
    mean: tf.Tensor
    """[b, 1] of the cosines of all pairs."""
    scale: tf.Tensor
    """[b, 1] reciprocal of their standard deviation; 0 if all are equal."""


def diversify(
    pool: Pool,
    diversity: tf.Tensor,
    length: tf.Tensor,
    taste: Taste | None = None,
    calibration: float = 0.0,
) -> tf.Tensor:
    """The order of the candidates [b, c] int32, as indices into the pool.

    The cost is that of `length` products of the vectors with one of them. An order's beginning does
    not depend on `length`.

    Args:
        pool: Candidates, the most relevant first, who wins ties.
        diversity: Weight of dissimilarity [b], 0 to 1; with 1, relevance only decides about the
            first item.
        length: Number of items to select []; at most `STEPS` are.
        taste: What calibrated lists follow; None for others.
        calibration: Weight of `serving.graph.calibration`, 0 to 1; the gain of the above has the
            rest.
    """
    weight = diversity[:, tf.newaxis]
    relevance = (1 - weight) * _standardise(pool.relevance, pool.eligible)
    similarity = _measure_similarity(pool)
    width = tf.shape(pool.relevance)[1]
    steps = tf.minimum(tf.minimum(length, width), STEPS)

    def select(
        step: tf.Tensor,
        places: tf.Tensor,
        nearest: tf.Tensor,
        left: tf.Tensor,
        listed: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        gain = relevance - weight * nearest
        if taste is not None:
            gain = (1 - calibration) * gain + calibration * compute_gain(taste, listed, step)
        gain = tf.where(left, tf.round(gain / _GRID), -np.inf)
        best = tf.argmax(gain, axis=1, output_type=tf.int32)
        selected = tf.one_hot(best, width, True, False, dtype=tf.bool) & left
        nearest = tf.maximum(nearest, _compare(similarity, best))
        listed = listed if taste is None else add_item(taste, listed, best)
        return step + 1, tf.where(selected, step, places), nearest, left & ~selected, listed

    first = tf.zeros_like(pool.relevance) + (-1 - similarity.mean) * similarity.scale
    places = tf.zeros_like(pool.relevance, tf.int32) + steps + tf.range(width)
    listed = tf.zeros([]) if taste is None else tf.zeros_like(taste.shares)
    _, places, *_ = tf.while_loop(
        lambda step, *_: step < steps, select, (0, places, first, pool.eligible, listed)
    )
    return tf.argsort(places, axis=1)


def _standardise(values: tf.Tensor, eligible: tf.Tensor) -> tf.Tensor:
    """[b, c] with mean 0 and standard deviation 1 over the eligible ones, 0 if all are equal."""
    count = tf.reduce_sum(tf.cast(eligible, values.dtype), axis=1, keepdims=True)
    total = tf.reduce_sum(tf.where(eligible, values, 0), axis=1, keepdims=True)
    centred = tf.where(eligible, values - tf.math.divide_no_nan(total, count), 0)
    variance = tf.math.divide_no_nan(tf.reduce_sum(centred**2, axis=1, keepdims=True), count)
    return tf.math.divide_no_nan(centred, tf.sqrt(variance))


def _measure_similarity(pool: Pool) -> _Similarity:
    """Mean and deviation of the cosines of all pairs, without computing each: their sum is that of
    the squared length of the vectors' sum, the sum of their squares that of the Gram matrix's.
    """
    vectors = tf.where(pool.eligible[..., tf.newaxis], pool.vectors, 0)
    units = tf.math.l2_normalize(vectors, axis=2)
    squares = tf.reduce_sum(units**2, axis=2)
    count = tf.reduce_sum(tf.cast(pool.eligible, units.dtype), axis=1)
    pairs = count * (count - 1)
    gram = tf.linalg.matmul(units, units, transpose_a=True)
    total = tf.reduce_sum(tf.reduce_sum(units, axis=1) ** 2, 1) - tf.reduce_sum(squares, axis=1)
    squared = tf.reduce_sum(gram**2, axis=[1, 2]) - tf.reduce_sum(squares**2, axis=1)
    mean = tf.math.divide_no_nan(total, pairs)
    deviation = tf.sqrt(tf.maximum(tf.math.divide_no_nan(squared, pairs) - mean**2, 0))
    scale = tf.where(deviation > _MIN_DEVIATION, 1 / deviation, 0)
    return _Similarity(units, mean[:, tf.newaxis], scale[:, tf.newaxis])


def _compare(similarity: _Similarity, best: tf.Tensor) -> tf.Tensor:
    """[b, c] standardised cosines with the candidate `best` [b] of each row."""
    chosen = tf.gather(similarity.units, best, batch_dims=1)
    cosines = tf.linalg.matvec(similarity.units, chosen)
    return (cosines - similarity.mean) * similarity.scale
