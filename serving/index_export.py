"""The index as a SavedModel with one function, `search`."""

import tensorflow as tf

from serving.index.build import Index


def save(index: Index, dim: int, path: str) -> None:
    """`search(queries [b, dim], excluded [b, e] int32, allowed [b, a] int32, k [] int32)` ->
    positions, scores.
    """
    index.search = tf.function(
        index.search,
        input_signature=[
            tf.TensorSpec([None, dim], tf.float32, name="queries"),
            tf.TensorSpec([None, None], tf.int32, name="excluded"),
            tf.TensorSpec([None, None], tf.int32, name="allowed"),
            tf.TensorSpec([], tf.int32, name="k"),
        ],
        autograph=False,
    )
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    tf.saved_model.save(index, path, options=options)
