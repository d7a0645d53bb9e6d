"""Approximate search with ScaNN, whose ops are part of the SavedModel.

Source: Guo et al., Accelerating large-scale inference with anisotropic vector quantization,
ICML 2020.
"""

import uuid
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

from schema.errors import ConfigError, UsageError
from serving.index.base import SearchResult, fill_variable, search_each_query
from serving.index.eligibility import Eligibility, match_categories

_TRAINING_SAMPLE = 250_000
_FEWEST = 16
_MORE = 8


class ScannIndex(tf.Module):
    """Searches as `serving.index.exact.ExactIndex` does.

    ScaNN cannot exclude items, so more than k are fetched and excluded ones are dropped. If fewer
    than k remain, which is likely with a filter, larger and larger numbers are fetched from all
    partitions, so the result has k items whenever k are eligible. The result of a query does not
    depend on the rest of its batch.
    """

    kind = "scann"

    def __init__(
        self,
        vectors: np.ndarray,
        eligible: Eligibility,
        leaf_count: int,
        probes: int,
        reordering: int,
    ):
        """Builds ScaNN's searcher over the available vectors.

        Args:
            vectors: Candidate vectors [n, dim] float32.
            eligible: Availability and categories of the n items.
            leaf_count: Number of partitions.
            probes: Number of partitions that a query reads.
            reordering: Number of candidates that are rescored exactly.

        Raises:
            ConfigError: Fewer than 16 items are available; a block of the quantizer has 16 centres.
        """
        super().__init__()
        positions = eligible.positions
        if len(positions) < _FEWEST:
            raise ConfigError(
                f'expected at least {_FEWEST} available items for index.kind = "scann", received '
                f'{len(positions)}; set index.kind = "exact"'
            )
        self.probes = probes
        self.reordering = reordering
        self.leaf_count = leaf_count
        self._ops = import_scann_ops()
        self._size = len(positions)
        self._positions = tf.Variable(positions, trainable=False, name="positions")
        self._categories = tf.Variable(
            eligible.categories_by_position(), trainable=False, name="categories"
        )
        rows = fill_variable(
            (self._size, vectors.shape[1]),
            "float32",
            lambda begin, end: vectors[positions[begin:end] - 1],
            "vectors",
        )
        searcher = self._built(rows)
        del rows
        self._state = searcher.serialize_to_module()
        # Otherwise it would keep a copy of the vectors until the process ends.
        tf.raw_ops.DestroyResourceOp(resource=searcher.searcher_handle)

    def _built(self, vectors: tf.Variable) -> Any:
        """ScaNN's own searcher."""
        return (
            self._ops.builder(vectors.value(), 100, "dot_product")
            .tree(
                num_leaves=self.leaf_count,
                num_leaves_to_search=self.probes,
                training_sample_size=min(self._size, _TRAINING_SAMPLE),
            )
            .score_ah(2, anisotropic_quantization_threshold=0.2)
            .reorder(self.reordering)
            .build(shared_name=f"tandem-{uuid.uuid4()}")
        )

    def search(
        self, queries: tf.Tensor, excluded: tf.Tensor, allowed: tf.Tensor, k: tf.Tensor
    ) -> SearchResult:
        """See `ExactIndex.search`."""
        width = tf.minimum(k, self._size)
        return search_each_query(partial(self._search_one, width), (queries, excluded, allowed))

    def _search_one(
        self, width: tf.Tensor, query: tf.Tensor, excluded: tf.Tensor, allowed: tf.Tensor
    ) -> SearchResult:
        """[dim], [e], [a] -> [width] each."""
        request = (query[tf.newaxis], excluded, allowed, width)
        fetch = tf.minimum(width + tf.size(excluded), self._size)

        def short(
            fetch: tf.Tensor, everywhere: tf.Tensor, at: tf.Tensor, _: tf.Tensor
        ) -> tf.Tensor:
            exhausted = everywhere & (fetch == self._size)
            return tf.reduce_any(at == 0) & ~exhausted

        def more(fetch: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, ...]:
            fetch = tf.minimum(fetch * _MORE, self._size)
            return fetch, tf.constant(True), *self._fetched(*request, fetch, self.leaf_count)

        first = self._fetched(*request, fetch, self.probes)
        scalar, row = tf.TensorShape([]), tf.TensorShape([None])
        state = tf.while_loop(
            short,
            more,
            (fetch, tf.constant(self.probes == self.leaf_count), *first),
            shape_invariants=(scalar, scalar, row, row),
        )
        return state[2], state[3]

    def _fetched(
        self,
        query: tf.Tensor,
        excluded: tf.Tensor,
        allowed: tf.Tensor,
        width: tf.Tensor,
        fetch: tf.Tensor,
        probes: int,
    ) -> SearchResult:
        """The best eligible items of the `fetch` that ScaNN returns from `probes` partitions."""
        result = self._ops.searcher_from_module(self._state).search_batched(
            query,
            final_num_neighbors=fetch,
            pre_reorder_num_neighbors=tf.maximum(fetch, self.reordering),
            leaves_to_search=probes,
        )
        row = tf.cast(result.indices[0], tf.int32)
        at = tf.gather(self._positions, tf.maximum(row, 0))
        dropped = tf.reduce_any(at[:, tf.newaxis] == excluded, axis=1)
        dropped |= tf.math.is_nan(result.distances[0])  # ScaNN found fewer than `fetch`
        dropped |= ~match_categories(tf.gather(self._categories, at), allowed)
        scores = tf.where(dropped, -np.inf, result.distances[0])
        best = tf.math.top_k(scores, tf.minimum(width, tf.size(scores)))
        at = tf.where(tf.math.is_inf(best.values), 0, tf.gather(at, best.indices))
        missing = [[0, width - tf.size(at)]]
        return tf.pad(at, missing), tf.pad(best.values, missing, constant_values=-np.inf)


def import_scann_ops() -> ModuleType:
    """Imports ScaNN's TensorFlow ops; raises UsageError if they do not load."""
    try:
        from scann.scann_ops.py import scann_ops as ops
    except (ImportError, tf.errors.NotFoundError) as error:
        raise UsageError(
            f"expected ScaNN's ops to load under TensorFlow {tf.__version__}, received: {error}; "
            "install the locked version set (`tandem doctor` shows what differs) "
            'or set index.kind = "ivf"'
        ) from error
    return ops
