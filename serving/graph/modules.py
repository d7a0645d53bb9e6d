"""The three servables, each one graph: `retrieval`, `ranking` and `recommender`."""

from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures
from serving import request_batch
from serving.category_table import CategoryTable
from serving.graph.item_table import ItemTable
from serving.request_batch import Inputs

NOWHERE = float(np.finfo(np.float32).min)
"""Score of a place without an item. JSON has no infinity."""


class RetrievalServable(tf.Module):
    """The nearest k items that are neither in the history nor excluded."""

    def __init__(
        self, query: Any, items: ItemTable, index: Any, categories: CategoryTable | None = None
    ):
        """`query` and `index` are loaded SavedModels. With `categories` requests have
        `allowed_categories`.
        """
        super().__init__()
        self._query = query
        self._items = items
        self._index = index
        self._categories = categories

    def serve(self, inputs: Inputs) -> Inputs:
        """-> `item_ids`, `scores`, `stages` [batch, k], `known_user` [batch]."""
        inputs = request_batch.spread(inputs)
        asked = ask(self._query, inputs)
        allowed = allowed_numbers(self._categories, inputs)
        k = inputs[signatures.K]
        width = request_batch.width(k)
        positions, scores = search(self._index, self._items, inputs, asked, allowed, width)
        return answer(self._items, positions, scores, signatures.RETRIEVAL, k, asked)


class RankingServable(tf.Module):
    """Every head's score of the candidates in the request."""

    def __init__(self, query: Any, items: ItemTable, ranking: Any):
        """`query` and `ranking` are loaded SavedModels."""
        super().__init__()
        self._query = query
        self._items = items
        self._ranking = ranking

    def serve(self, inputs: Inputs) -> Inputs:
        """-> `relevance` and each label [batch, candidates]."""
        inputs = request_batch.spread(inputs)
        positions = self._items.positions(inputs[signatures.CANDIDATE_ITEM_IDS])
        return heads(self._ranking, self._items, ask(self._query, inputs), positions)


class RecommenderServable(tf.Module):
    """Retrieve, exclude, rank, and the best k of it, in one call."""

    def __init__(
        self,
        query: Any,
        items: ItemTable,
        index: Any,
        ranking: Any,
        depth: int,
        rank_order: bool,
        categories: CategoryTable | None = None,
    ):
        """`query`, `index` and `ranking` are loaded SavedModels; `query` and `ranking` are found by
        these names in the SavedModel of this one. `depth` items go from retrieval to ranking.

        `rank_order` False leaves retrieval's order in the final list: ranking did not pay on valid.
        `categories` as in `RetrievalServable`.
        """
        super().__init__()
        self.query = query
        self._items = items
        self._index = index
        self.ranking = ranking
        self._depth = depth
        self._rank_order = rank_order
        self._categories = categories

    def serve(self, inputs: Inputs) -> Inputs:
        """-> `item_ids`, `scores`, `stages` [batch, k], `known_user` [batch]."""
        inputs = request_batch.spread(inputs)
        asked = ask(self.query, inputs)
        k = inputs[signatures.K]
        width = request_batch.width(k)
        depth = tf.maximum(width, self._depth)
        allowed = allowed_numbers(self._categories, inputs)
        positions, scores = search(self._index, self._items, inputs, asked, allowed, depth)
        if not self._rank_order:
            parts = positions[:, :width], scores[:, :width]
            return answer(self._items, *parts, signatures.RETRIEVAL, k, asked)
        scores = heads(self.ranking, self._items, asked, positions)[signatures.RELEVANCE]
        scores = tf.where(positions == 0, NOWHERE, scores)
        best = tf.math.top_k(scores, tf.minimum(width, tf.shape(scores)[1]))
        chosen = tf.gather(positions, best.indices, batch_dims=1)
        return answer(self._items, chosen, best.values, signatures.RANKING, k, asked)


def query_inputs(query: Any) -> dict[str, tf.TensorSpec]:
    """Inputs of a loaded query model by name."""
    (specs,), _ = query.query.concrete_functions[0].structured_input_signature
    return specs


def ask(query: Any, inputs: Inputs) -> Inputs:
    """The query model on those of the inputs that are its own."""
    return query.query({name: inputs[name] for name in query_inputs(query)})


def allowed_numbers(categories: CategoryTable | None, inputs: Inputs) -> tf.Tensor:
    """[batch, a] numbers of the allowed categories; [batch, 0], which allows all, without a
    table.
    """
    if categories is None:
        return tf.zeros([tf.shape(inputs[signatures.HISTORY_ITEM_IDS])[0], 0], tf.int32)
    return categories.numbers(inputs[signatures.ALLOWED_CATEGORIES])


def search(
    index: Any, items: ItemTable, inputs: Inputs, asked: Inputs, allowed: tf.Tensor, k: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Positions and scores [batch, min(k, available)] of the `allowed`, without history and
    exclusions.
    """
    ids = [inputs[signatures.HISTORY_ITEM_IDS], inputs[signatures.EXCLUDED_ITEM_IDS]]
    excluded = items.positions(tf.concat(ids, axis=1))
    return index.search(asked[signatures.VECTOR], excluded, allowed, k)


def heads(ranking: Any, items: ItemTable, asked: Inputs, positions: tf.Tensor) -> Inputs:
    """Ranking's scores of candidates by position; `asked` is what the query model answered."""
    return ranking.score(
        asked
        | {
            signatures.CANDIDATES: positions,
            signatures.LOG_POPULARITY: items.log_popularity(positions),
        }
    )


def answer(
    items: ItemTable,
    positions: tf.Tensor,
    scores: tf.Tensor,
    stage: str,
    k: tf.Tensor,
    asked: Inputs,
) -> Inputs:
    """What a listing servable returns of the best, whose `scores` are from that `stage`.

    A place beyond the row's own `k` [batch], or that no eligible item was left for, has the id "",
    no stage, and the lowest finite score.
    """
    within = tf.range(tf.shape(positions)[1]) < k[:, tf.newaxis]
    positions = tf.where(within, positions, 0)
    return {
        signatures.ITEM_IDS: items.ids(positions),
        signatures.SCORES: tf.where(positions > 0, scores, NOWHERE),
        signatures.STAGES: tf.where(positions > 0, stage, ""),
        signatures.KNOWN_USER: asked[signatures.USER_INDEX] > 0,
    }
