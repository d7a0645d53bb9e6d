"""Searches the index for the items that the lists of a request may hold."""

from typing import Any

import tensorflow as tf

from schema import signatures
from schema.recommend import Repeats
from serving.graph.item_table import ItemTable
from serving.index.eligibility import CategoryTable

Tensors = dict[str, tf.Tensor]


class EligibleSearch(tf.Module):
    """An index with the rules that restrict a request's items: history, exclusions, categories."""

    def __init__(
        self, index: Any, items: ItemTable, categories: CategoryTable | None, repeats: Repeats
    ):
        """Combines the parts.

        Args:
            index: Loaded SavedModel of the index, or the index itself; exact search for `repeats`
                "only".
            items: Ids of the catalogue.
            categories: If given, requests have the input `allowed_categories`.
            repeats: Whether lists hold items of the history.
        """
        super().__init__()
        self._index = index
        self._items = items
        self._categories = categories
        self._repeats = repeats

    def search(
        self, inputs: Tensors, query_outputs: Tensors, k: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the best items of each row.

        Args:
            inputs: Inputs of the request, broadcast to all rows.
            query_outputs: Outputs of the query model.
            k: Length of the lists [].

        Returns:
            Positions and scores [batch, min(k, available)], best first, as from
            `serving.index.exact.ExactIndex.search`.
        """
        vector, allowed = query_outputs[signatures.VECTOR], self._look_up_categories(inputs)
        history, excluded = (
            inputs[name] for name in (signatures.HISTORY_ITEM_IDS, signatures.EXCLUDED_ITEM_IDS)
        )
        if self._repeats == "exclude":
            excluded = tf.concat([history, excluded], axis=1)
        excluded = self._items.positions(excluded)
        if self._repeats == "only":
            listed = _remove_positions(self._items.positions(history), excluded)
            return self._index.search_among(vector, listed, allowed, k)
        return self._index.search(vector, excluded, allowed, k)

    def _look_up_categories(self, inputs: Tensors) -> tf.Tensor:
        """Numbers of the allowed categories [batch, a]; without a table [batch, 0], which allows
        all items.
        """
        if self._categories is None:
            return tf.zeros([tf.shape(inputs[signatures.HISTORY_ITEM_IDS])[0], 0], tf.int32)
        return self._categories.numbers(inputs[signatures.ALLOWED_CATEGORIES])


def _remove_positions(positions: tf.Tensor, removed: tf.Tensor) -> tf.Tensor:
    """`positions` [batch, n], with 0 in place of those in the same row of `removed` [batch, m]."""
    ordered = tf.sort(tf.pad(removed, [[0, 0], [1, 0]]), axis=1)
    at = tf.minimum(tf.searchsorted(ordered, positions), tf.shape(ordered)[1] - 1)
    return tf.where(tf.gather(ordered, at, batch_dims=1) == positions, 0, positions)
