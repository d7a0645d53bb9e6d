"""A large variable that is filled some rows at a time, so that no second copy of it is held."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

_AT_ONCE = 65_536


def filled(
    shape: tuple[int, int], dtype: str, part: Callable[[int, int], np.ndarray], name: str
) -> tf.Variable:
    """[rows, width], the rows from `begin` to `end` being `part(begin, end)`, up to 65,536 of them
    at once.
    """
    variable = tf.Variable(lambda: tf.zeros(shape, dtype), trainable=False, name=name)
    for begin in range(0, shape[0], _AT_ONCE):
        end = min(begin + _AT_ONCE, shape[0])
        # `variable[begin:end].assign` would read the variable first, and so copy all of it.
        tf.raw_ops.ResourceStridedSliceAssign(
            ref=variable.handle,
            begin=[begin],
            end=[end],
            strides=[1],
            value=tf.constant(part(begin, end), dtype),
        )
    # A variable that was filled in place would from now on copy itself whenever it is read.
    tf.raw_ops.DisableCopyOnRead(resource=variable.handle)
    return variable
