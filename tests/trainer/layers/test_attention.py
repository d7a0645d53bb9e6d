import numpy as np
import tensorflow as tf

from trainer.layers.attention import (
    AttentionBlock,
    SelfAttention,
    compute_log_gaps,
    count_known_before,
    order_known_first,
)

KNOWN = tf.constant([[True, False, True, True], [False, False, False, True]])


def test_known_events_come_first_in_their_order():
    assert order_known_first(KNOWN).numpy().tolist() == [[0, 2, 3, 1], [3, 0, 1, 2]]


def test_known_events_before_each_position():
    assert count_known_before(KNOWN).numpy().tolist() == [[0, 1, 1, 2], [0, 0, 0, 0]]


def test_gaps_are_counted_from_the_known_event_before():
    hours = tf.constant([[1, 2, 8, 8], [5, 6, 7, 8]], tf.int64) * 3600
    # 2 - 1, 8 - 1 and 8 - 8 hours; the second timeline has no known event before any position
    expected = [[0, np.log(2), np.log(8), 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(compute_log_gaps(hours, KNOWN).numpy(), expected, atol=1e-6)


def test_a_log_that_numbers_its_events_has_gaps_of_about_zero():
    gaps = compute_log_gaps(tf.constant([[7, 8, 9, 10]], tf.int64), tf.ones([1, 4], tf.bool))
    np.testing.assert_allclose(gaps.numpy(), np.zeros((1, 4)), atol=1e-3)


def test_a_block_reads_earlier_positions_only():
    tf.keras.utils.set_random_seed(3)
    block = AttentionBlock(4, 3, 2, 0.5)
    vectors = np.random.default_rng(3).normal(size=(1, 5, 4)).astype(np.float32)
    changed = vectors.copy()
    changed[:, 2] += 1
    moved = (
        np.abs(block(tf.constant(vectors)) - block(tf.constant(changed))).max(axis=(0, 2)) > 1e-4
    )
    assert moved.tolist() == [False, False, True, True, True]


def test_dropout_is_only_used_in_training():
    block = AttentionBlock(4, 3, 1, 0.5)
    vectors = tf.random.stateless_normal([1, 3, 4], [1, 2])
    np.testing.assert_array_equal(block(vectors), block(vectors))
    assert np.abs(block(vectors, training=True) - block(vectors)).max() > 1e-3


def test_attention_by_hand():
    """With identity projections, position 1 weights both positions by exp of their biases."""
    layer = SelfAttention(1, 1, 1, 0.0)
    asking, queries = tf.constant([[[0.0], [0.0]]]), tf.constant([[[2.0], [10.0]]])
    layer(asking, queries)
    for variable in layer.trainable_variables:
        variable.assign(tf.ones_like(variable) if "kernel" in variable.name else variable)
    layer._bias.assign([[0.0], [np.log(3)]])
    # position 0 attends only to itself; position 1 attends to position 0 three times as much as to
    # itself
    np.testing.assert_allclose(layer(asking, queries).numpy()[0, :, 0], [2, 0.75 * 2 + 0.25 * 10])


def test_distances_beyond_the_length_are_equal():
    layer = SelfAttention(1, 1, 1, 0.0)
    asking, queries = tf.zeros([1, 4, 1]), tf.constant([[[4.0], [8.0], [0.0], [0.0]]])
    layer(asking, queries)
    for variable in layer.trainable_variables:
        variable.assign(tf.ones_like(variable) if "kernel" in variable.name else variable)
    layer._bias.assign([[0.0], [np.log(2)]])
    # at position 3 the weights are 2, 2, 2 and 1, of 7
    np.testing.assert_allclose(layer(asking, queries).numpy()[0, 3, 0], 24 / 7, rtol=1e-6)
