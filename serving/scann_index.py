"""Approximate search by ScaNN, its ops inside the SavedModel.

Guo et al., Accelerating large-scale inference with anisotropic vector quantization, ICML 2020.
"""

import math
import uuid
from types import ModuleType

import numpy as np
import tensorflow as tf

from schema.errors import ConfigError, UsageError
from serving.config import IndexConfig

_TRAINING_SAMPLE = 250_000
_FEWEST = 16
_AS_BUILT = -1


class ScannIndex(tf.Module):
    """Same questions and answers as `serving.exact_index.ExactIndex`.

    Excluded items are asked for beyond k and then dropped; where the partitions that were looked
    into hold too few others, all of them are, so k eligible items remain whenever there are k.
    Which partitions ScaNN looks into may differ between a query alone and the same one in a batch.
    """

    kind = "scann"

    def __init__(self, vectors: np.ndarray, config: IndexConfig):
        """`vectors` [n, dim] float32; about sqrt(n) partitions are trained on them.

        Raises ConfigError below 16 items: so many centres has a block of the quantizer.
        """
        super().__init__()
        if len(vectors) < _FEWEST:
            raise ConfigError(
                f'expected at least {_FEWEST} items for index.kind = "scann", received '
                f'{len(vectors)}; set index.kind = "exact"'
            )
        self._ops = scann_ops()
        self._size = len(vectors)
        self._reordering = config.reordering
        self._leaves = leaves = round(math.sqrt(len(vectors)))
        searcher = (
            self._ops.builder(vectors, 100, "dot_product")
            .tree(
                num_leaves=leaves,
                num_leaves_to_search=max(1, math.ceil(leaves * config.leaves_to_search_fraction)),
                training_sample_size=min(len(vectors), _TRAINING_SAMPLE),
            )
            .score_ah(2, anisotropic_quantization_threshold=0.2)
            .reorder(config.reordering)
            .build(shared_name=f"tandem-{uuid.uuid4()}")
        )
        self._state = searcher.serialize_to_module()

    def search(
        self, queries: tf.Tensor, excluded: tf.Tensor, k: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `ExactIndex.search`."""
        found = self._search(queries, excluded, k, _AS_BUILT)
        short = tf.reduce_any(found[0] == 0, axis=1, keepdims=True)

        def look_everywhere() -> tuple[tf.Tensor, tf.Tensor]:
            full = self._search(queries, excluded, k, self._leaves)
            # of the short rows alone: an answer must not depend on who else is in the batch
            return tf.where(short, full[0], found[0]), tf.where(short, full[1], found[1])

        return tf.cond(tf.reduce_any(short), look_everywhere, lambda: found)

    def _search(
        self, queries: tf.Tensor, excluded: tf.Tensor, k: tf.Tensor, leaves: int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        fetch = tf.minimum(k + tf.shape(excluded)[1], self._size)
        found = self._ops.searcher_from_module(self._state).search_batched(
            queries,
            final_num_neighbors=fetch,
            pre_reorder_num_neighbors=tf.maximum(fetch, self._reordering),
            leaves_to_search=leaves,
        )
        # as wide as the row that found most; within it, NaN stands for nothing found
        missing = [[0, 0], [0, fetch - tf.shape(found.indices)[1]]]
        position = tf.pad(tf.cast(found.indices, tf.int32) + 1, missing)
        distance = tf.pad(found.distances, missing, constant_values=np.nan)
        dropped = tf.reduce_any(position[..., tf.newaxis] == excluded[:, tf.newaxis], axis=-1)
        scores = tf.where(dropped | tf.math.is_nan(distance), tf.constant(-np.inf), distance)
        best = tf.math.top_k(scores, tf.minimum(k, tf.shape(scores)[1]))
        chosen = tf.gather(position, best.indices, batch_dims=1)
        return tf.where(tf.math.is_inf(best.values), 0, chosen), best.values


def scann_ops() -> ModuleType:
    """ScaNN's TensorFlow ops; a UsageError in plain words where they do not fit this TensorFlow."""
    try:
        from scann.scann_ops.py import scann_ops as ops
    except (ImportError, tf.errors.NotFoundError) as error:
        raise UsageError(
            f"expected ScaNN's ops to load under TensorFlow {tf.__version__}, received: {error}; "
            "install the locked version set (`tandem doctor` shows what differs) "
            'or set index.kind = "exact"'
        ) from error
    return ops
