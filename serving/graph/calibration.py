"""Calibrated lists: the categories of a list follow those of the history.

Steck, Calibrated recommendations, RecSys 2018. The share of a category in a list or a history is
the mean over its items, where an item with several categories divides itself evenly among them. The
less the list's shares q diverge from the history's p, in sum over p * log(p / q), the better; q is
mixed with 1 % of p, so that a category that the list lacks does not make it infinite.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import tensorflow as tf

from serving.index.eligibility import number_categories

_SMOOTHING = 0.01


class Taste(NamedTuple):
    """The categories of `b` requests' candidates, and their shares in the histories."""

    categories: tf.Tensor
    """[b, c, m] int32 numbers, padded with 0."""
    shares: tf.Tensor
    """[b, categories + 1] float32 by number; 0 where a history has no known category."""


class CategoryShares(tf.Module):
    """The categories of a catalogue's items by position."""

    def __init__(self, filters: pa.Array):
        """`filters` [n] large_list<large_binary>: each item's categories."""
        super().__init__()
        numbers = np.pad(number_categories(filters), [(1, 0), (0, 0)])
        self._numbers = tf.Variable(numbers, trainable=False, name="category_numbers")
        self._width = int(numbers.max()) + 1

    def describe(self, candidates: tf.Tensor, history: tf.Tensor) -> Taste:
        """From positions of candidates [b, c] and of history items [b, h], padded with 0. An item
        that repeats in the history counts each time.
        """
        numbers = tf.gather(self._numbers, history)
        rows = tf.shape(history)[0]
        cells = tf.range(rows)[:, tf.newaxis, tf.newaxis] * self._width + numbers
        total = tf.math.unsorted_segment_sum(divide_evenly(numbers), cells, rows * self._width)
        total = tf.reshape(total, [rows, self._width])
        shares = tf.math.divide_no_nan(total, tf.reduce_sum(total, axis=1, keepdims=True))
        return Taste(tf.gather(self._numbers, candidates), shares)


def divide_evenly(numbers: tf.Tensor) -> tf.Tensor:
    """Category numbers [..., m], padded with 0 -> the share of each in its item, 0 for padding."""
    known = tf.cast(numbers > 0, tf.float32)
    return tf.math.divide_no_nan(known, tf.reduce_sum(known, axis=-1, keepdims=True))


def compute_gain(taste: Taste, listed: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """[b, c] how much each candidate decreases the divergence, compared with an item without
    categories in its place.

    Args:
        taste: Categories of candidates and histories.
        listed: [b, categories + 1] sum of the shares of the `step` items that are in the list.
        step: Number of these items [].
    """
    wanted = tf.gather(taste.shares, taste.categories, batch_dims=1)
    size = tf.cast(step + 1, tf.float32) / (1 - _SMOOTHING)
    before = tf.gather(listed, taste.categories, batch_dims=1) / size + _SMOOTHING * wanted
    after = before + divide_evenly(taste.categories) / size
    gain = wanted * tf.math.log(tf.math.divide_no_nan(after, before))
    return tf.reduce_sum(tf.where(wanted > 0, gain, 0), axis=-1)


def add_item(taste: Taste, listed: tf.Tensor, best: tf.Tensor) -> tf.Tensor:
    """`listed` of `compute_gain` after candidate `best` [b] of each row."""
    numbers = tf.gather(taste.categories, best, batch_dims=1)
    row = tf.range(tf.shape(numbers)[0])[:, tf.newaxis] + tf.zeros_like(numbers)
    return tf.tensor_scatter_nd_add(
        listed, tf.stack([row, numbers], axis=-1), divide_evenly(numbers)
    )
