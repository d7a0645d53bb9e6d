"""Shared by all indexes: per-query search of a batch, and filling large variables in parts."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

SearchResult = tuple[tf.Tensor, tf.Tensor]
SearchInputs = tuple[tf.Tensor, tf.Tensor, tf.Tensor]
_ROWS_PER_ASSIGNMENT = 65_536


def search_each_query(
    search: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], SearchResult], inputs: SearchInputs
) -> SearchResult:
    """Searches row by row, so that the result of a query does not depend on the rest of its batch.

    A single row, the most common request, needs no loop.

    Args:
        search: Maps one row of each input to positions [k] int32 and scores [k] float32.
        inputs: Tensors [b, …] with the same number of rows.

    Returns:
        Positions [b, k] int32 and scores [b, k] float32.
    """

    def search_single() -> SearchResult:
        positions, scores = search(*(values[0] for values in inputs))
        return positions[tf.newaxis], scores[tf.newaxis]

    def search_rows() -> SearchResult:
        return tf.map_fn(
            lambda row: search(*row),
            inputs,
            fn_output_signature=(
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None], tf.float32),
            ),
        )

    return tf.cond(tf.shape(inputs[0])[0] == 1, search_single, search_rows)


def fill_variable(
    shape: tuple[int, int], dtype: str, part: Callable[[int, int], np.ndarray], name: str
) -> tf.Variable:
    """Builds a variable in parts of up to 65,536 rows, which avoids a second copy of a large table.

    Args:
        shape: (rows, width) of the variable.
        dtype: Name of its TensorFlow type.
        part: `part(begin, end)` returns the rows from `begin` to `end` (exclusive).
        name: Name of the variable in the graph.
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
    # After an in-place update TensorFlow would otherwise copy the variable on each read.
    tf.raw_ops.DisableCopyOnRead(resource=variable.handle)
    return variable
