"""A batch of queries, each answered as it would be alone."""

from collections.abc import Callable

import tensorflow as tf

Found = tuple[tf.Tensor, tf.Tensor]
Asked = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def each_row(search: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], Found], asked: Asked) -> Found:
    """`asked` [b, …] row by row through `search`, whose two answers are [k] int32 and float32 ->
    [b, k] each. A single row, the usual request, costs no loop.
    """

    def one() -> Found:
        found = search(*(values[0] for values in asked))
        return found[0][tf.newaxis], found[1][tf.newaxis]

    def each() -> Found:
        return tf.map_fn(
            lambda row: search(*row),
            asked,
            fn_output_signature=(
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None], tf.float32),
            ),
        )

    return tf.cond(tf.shape(asked[0])[0] == 1, one, each)
