"""Two steps against the arithmetic of Adam, row by row."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.training.sparse_adam import SparseAdam

RATE, FIRST, SECOND, EPSILON = 0.1, 0.9, 0.999, 1e-7


def _adam(value, gradients):
    """The result of `gradients`, a list of (step, gradient), for one number."""
    mean = square = 0.0
    for step, gradient in gradients:
        mean = FIRST * mean + (1 - FIRST) * gradient
        square = SECOND * square + (1 - SECOND) * gradient**2
        rate = RATE * np.sqrt(1 - SECOND**step) / (1 - FIRST**step)
        value -= rate * mean / (np.sqrt(square) + EPSILON)
    return value


def test_a_row_moves_only_by_its_own_gradients():
    table = tf.Variable([[1.0], [2.0], [3.0]])
    optimizer = SparseAdam(RATE)
    for rows, values in (([0, 1], [0.5, -1.0]), ([1], [2.0])):
        slices = tf.IndexedSlices(tf.constant(values)[:, tf.newaxis], tf.constant(rows))
        optimizer.apply_gradients([(slices, table)])
    # the first row has no gradient in the second step and is unchanged by it
    expected = [_adam(1.0, [(1, 0.5)]), _adam(2.0, [(1, -1.0), (2, 2.0)]), 3.0]
    np.testing.assert_allclose(table.numpy()[:, 0], expected, rtol=1e-5)


def test_a_row_named_twice_gets_the_sum_of_its_gradients():
    table = tf.Variable([[1.0], [2.0]])
    slices = tf.IndexedSlices(tf.constant([[0.5], [1.5]]), tf.constant([1, 1]))
    SparseAdam(RATE).apply_gradients([(slices, table)])
    np.testing.assert_allclose(table.numpy()[:, 0], [1.0, _adam(2.0, [(1, 2.0)])], rtol=1e-5)


def test_a_dense_gradient_is_adams():
    weight = tf.Variable(1.0)
    optimizer = SparseAdam(RATE)
    for gradient in (0.5, -2.0):
        optimizer.apply_gradients([(tf.constant(gradient), weight)])
    assert weight.numpy() == pytest.approx(_adam(1.0, [(1, 0.5), (2, -2.0)]), rel=1e-5)
