"""What the indexes share: a batch searched query by query, and large variables filled in parts."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

SearchResult = tuple[tf.Tensor, tf.Tensor]
SearchInputs = tuple[tf.Tensor, tf.Tensor, tf.Tensor]
_ROWS_PER_ASSIGNMENT = 65_536


def search_each_query(
    search: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], SearchResult], asked: SearchInputs
) -> SearchResult:
    """`asked` [b, …] row by row through `search`, whose two answers are [k] int32 and float32 ->
    [b, k] each, so that a query's answer does not depend on the rest of its batch. A single row,
    the usual request, costs no loop.
    """

    def one() -> SearchResult:
        found = search(*(values[0] for values in asked))
        return found[0][tf.newaxis], found[1][tf.newaxis]

    def each() -> SearchResult:
        return tf.map_fn(
            lambda row: search(*row),
            asked,
            fn_output_signature=(
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None], tf.float32),
            ),
        )

    return tf.cond(tf.shape(asked[0])[0] == 1, one, each)


def fill_variable(
    shape: tuple[int, int], dtype: str, part: Callable[[int, int], np.ndarray], name: str
) -> tf.Variable:
    """[rows, width], the rows from `begin` to `end` being `part(begin, end)`, up to 65,536 of them
    at once, so that no second copy of a large table is in memory.
    """
    variable = tf.Variable(lambda: tf.zeros(shape, dtype), trainable=False, name=name)
    for begin in range(0, shape[0], _ROWS_PER_ASSIGNMENT):
        end = min(begin + _ROWS_PER_ASSIGNMENT, shape[0])
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
