"""What a request leaves out or says once, spelled out for every row: in the graph."""

import tensorflow as tf

from schema import signatures

Inputs = dict[str, tf.Tensor]


def spread(inputs: Inputs) -> Inputs:
    """[1, …] or [batch, …] each -> all [batch, …], the batch being the largest of them.

    Other sizes end the call with INVALID_ARGUMENT. `now` 0 becomes the present; a history without
    times is one of this moment.
    """
    sizes = [tf.shape(value)[0] for value in inputs.values()]
    rows = tf.reduce_max(tf.stack(sizes))
    spread = {name: _rows(value, rows) for name, value in inputs.items()}
    spread[signatures.NOW] = _moment(spread[signatures.NOW])
    spread[signatures.HISTORY_TIMESTAMPS] = _times(spread)
    return spread


def _rows(value: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    shape = tf.concat([rows[tf.newaxis], tf.shape(value)[1:]], axis=0)
    return tf.ensure_shape(tf.broadcast_to(value, shape), value.shape)


def _moment(now: tf.Tensor) -> tf.Tensor:
    """The clock is read where somebody wants it alone: a process that must be deterministic, as a
    training's is, refuses to.
    """
    return tf.cond(
        tf.reduce_any(now == 0),
        lambda: tf.where(now == 0, tf.cast(tf.timestamp(), tf.int64), now),
        lambda: now,
    )


def _times(inputs: Inputs) -> tf.Tensor:
    times, items = inputs[signatures.HISTORY_TIMESTAMPS], inputs[signatures.HISTORY_ITEM_IDS]
    length = tf.shape(items)[1]

    def given() -> tf.Tensor:
        same = tf.debugging.assert_equal(
            tf.shape(times)[1],
            length,
            f"{signatures.HISTORY_TIMESTAMPS} must be as long as {signatures.HISTORY_ITEM_IDS}, "
            "or be left out",
        )
        with tf.control_dependencies([same]):
            return tf.identity(times)

    def present() -> tf.Tensor:
        return tf.repeat(inputs[signatures.NOW][:, tf.newaxis], length, axis=1)

    return tf.cond(tf.shape(times)[1] == 0, present, given)


def width(k: tf.Tensor) -> tf.Tensor:
    """[batch] -> [] the longest list that is asked for. None or fewer items cannot be: the call
    ends with INVALID_ARGUMENT.
    """
    least = tf.debugging.assert_positive(k, f"{signatures.K} must be at least 1")
    with tf.control_dependencies([least]):
        return tf.reduce_max(k)
