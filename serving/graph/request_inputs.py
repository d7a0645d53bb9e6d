"""Inputs of a request in the graph: those that it omits, or sends once for all rows, are broadcast,
and wrong values end the call.
"""

import tensorflow as tf

from schema import signatures
from serving.graph.eligible_search import Tensors


def broadcast_inputs(inputs: Tensors) -> Tensors:
    """Broadcasts inputs [1, …] to [batch, …], where batch is the largest number of rows.

    Other sizes end the call with INVALID_ARGUMENT. `now` 0 becomes the present time; a history
    without timestamps gets the time `now`.
    """
    sizes = [tf.shape(value)[0] for value in inputs.values()]
    rows = tf.reduce_max(tf.stack(sizes))
    broadcast = {name: _broadcast(value, rows) for name, value in inputs.items()}
    broadcast[signatures.NOW] = _fill_now(broadcast[signatures.NOW])
    broadcast[signatures.HISTORY_TIMESTAMPS] = _fill_timestamps(broadcast)
    return broadcast


def _broadcast(value: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    shape = tf.concat([rows[tf.newaxis], tf.shape(value)[1:]], axis=0)
    return tf.ensure_shape(tf.broadcast_to(value, shape), value.shape)


def _fill_now(now: tf.Tensor) -> tf.Tensor:
    """Reads the clock only if a row needs it: TensorFlow refuses to in a process with deterministic
    ops, such as training.
    """
    return tf.cond(
        tf.reduce_any(now == 0),
        lambda: tf.where(now == 0, tf.cast(tf.timestamp(), tf.int64), now),
        lambda: now,
    )


def _fill_timestamps(inputs: Tensors) -> tf.Tensor:
    times, items = inputs[signatures.HISTORY_TIMESTAMPS], inputs[signatures.HISTORY_ITEM_IDS]
    length = tf.shape(items)[1]

    def check_given() -> tf.Tensor:
        same = tf.debugging.assert_equal(
            tf.shape(times)[1],
            length,
            f"{signatures.HISTORY_TIMESTAMPS} must be as long as {signatures.HISTORY_ITEM_IDS}, "
            "or be left out",
        )
        with tf.control_dependencies([same]):
            return tf.identity(times)

    def repeat_now() -> tf.Tensor:
        return tf.repeat(inputs[signatures.NOW][:, tf.newaxis], length, axis=1)

    return tf.cond(tf.shape(times)[1] == 0, repeat_now, check_given)


def compute_list_width(k: tf.Tensor) -> tf.Tensor:
    """The largest of `k` [batch]. A `k` below 1 ends the call with INVALID_ARGUMENT."""
    positive = tf.debugging.assert_positive(k, f"{signatures.K} must be at least 1")
    with tf.control_dependencies([positive]):
        return tf.reduce_max(k)


def check_diversity(diversity: tf.Tensor) -> tf.Tensor:
    """`diversity` [batch]. One outside of 0 to 1 ends the call with INVALID_ARGUMENT."""
    within = tf.reduce_all((diversity >= 0) & (diversity <= 1))
    check = tf.debugging.Assert(within, [f"{signatures.DIVERSITY} must be between 0 and 1"])
    with tf.control_dependencies([check]):
        return tf.identity(diversity)
