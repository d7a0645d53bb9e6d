"""The three servables, one graph each: `retrieval`, `ranking` and `recommender`.

Inputs that a request omits, or sends once for all rows, are broadcast in the graph.
"""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures
from schema.recommend import Repeats
from serving.graph.eligible_search import EligibleSearch, Tensors
from serving.graph.item_table import ItemTable
from serving.index.eligibility import CategoryTable

EMPTY_SCORE = float(np.finfo(np.float32).min)
"""Score of an empty position in a list. JSON has no infinity."""


@dataclasses.dataclass(frozen=True)
class RecommenderModels:
    """Loaded SavedModels of a recommender, and how it combines them."""

    query: Any
    index: Any
    ranking: Any
    depth: int
    """Number of items that retrieval passes to ranking."""
    rank_order: bool = True
    """False keeps the order of retrieval in the final list: ranking was no better on valid."""
    repeats: Repeats = "exclude"
    """Whether lists hold items of the history."""


class RetrievalServable(tf.Module):
    """The nearest k items that the request may list."""

    def __init__(
        self, models: RecommenderModels, items: ItemTable, categories: CategoryTable | None = None
    ):
        """Combines the parts.

        Args:
            models: Query model and index.
            items: Ids of the catalogue.
            categories: If given, requests have the input `allowed_categories`.
        """
        super().__init__()
        self._query = models.query
        self._items = items
        self._search = EligibleSearch(models.index, items, categories, models.repeats)

    def serve(self, inputs: Tensors) -> Tensors:
        """Returns `item_ids`, `scores`, `stages` [batch, k] and `known_user` [batch]."""
        inputs = broadcast_inputs(inputs)
        query_outputs = run_query_model(self._query, inputs)
        k = inputs[signatures.K]
        positions, scores = self._search.search(inputs, query_outputs, compute_list_width(k))
        return build_listing(self._items, positions, scores, signatures.RETRIEVAL, k, query_outputs)


class RankingServable(tf.Module):
    """The score of each head for the candidates in the request."""

    def __init__(self, query: Any, items: ItemTable, ranking: Any):
        """`query` and `ranking` are loaded SavedModels."""
        super().__init__()
        self._query = query
        self._items = items
        self._ranking = ranking

    def serve(self, inputs: Tensors) -> Tensors:
        """Returns `relevance` and each label [batch, candidates]."""
        inputs = broadcast_inputs(inputs)
        positions = self._items.positions(inputs[signatures.CANDIDATE_ITEM_IDS])
        return score_candidates(
            self._ranking, self._items, run_query_model(self._query, inputs), positions
        )


class RecommenderServable(tf.Module):
    """Retrieves, ranks and selects the best k in one call."""

    def __init__(
        self, models: RecommenderModels, items: ItemTable, categories: CategoryTable | None = None
    ):
        """The query and ranking models are saved as the attributes `query` and `ranking`.
        `categories` as in `RetrievalServable`.
        """
        super().__init__()
        self.query = models.query
        self._items = items
        self._search = EligibleSearch(models.index, items, categories, models.repeats)
        self.ranking = models.ranking
        self._depth = models.depth
        self._rank_order = models.rank_order

    def serve(self, inputs: Tensors) -> Tensors:
        """Returns `item_ids`, `scores`, `stages` [batch, k] and `known_user` [batch]."""
        inputs = broadcast_inputs(inputs)
        query_outputs = run_query_model(self.query, inputs)
        k = inputs[signatures.K]
        width = compute_list_width(k)
        depth = tf.maximum(width, self._depth)
        positions, scores = self._search.search(inputs, query_outputs, depth)
        if not self._rank_order:
            parts = positions[:, :width], scores[:, :width]
            return build_listing(self._items, *parts, signatures.RETRIEVAL, k, query_outputs)
        scores = score_candidates(self.ranking, self._items, query_outputs, positions)[
            signatures.RELEVANCE
        ]
        scores = tf.where(positions == 0, EMPTY_SCORE, scores)
        best = tf.math.top_k(scores, tf.minimum(width, tf.shape(scores)[1]))
        chosen = tf.gather(positions, best.indices, batch_dims=1)
        return build_listing(self._items, chosen, best.values, signatures.RANKING, k, query_outputs)


def get_query_inputs(query: Any) -> dict[str, tf.TensorSpec]:
    """Inputs of a loaded query model by name."""
    (specs,), _ = query.query.concrete_functions[0].structured_input_signature
    return specs


def run_query_model(query: Any, inputs: Tensors) -> Tensors:
    """Runs the query model on the inputs that it declares."""
    return query.query({name: inputs[name] for name in get_query_inputs(query)})


def score_candidates(
    ranking: Any, items: ItemTable, query_outputs: Tensors, positions: tf.Tensor
) -> Tensors:
    """Scores candidates with the ranking model.

    Args:
        ranking: Loaded SavedModel of the ranking model.
        items: Ids and popularity of the catalogue.
        query_outputs: Outputs of the query model.
        positions: Positions of the candidates [batch, candidates].
    """
    return ranking.score(
        query_outputs
        | {
            signatures.CANDIDATES: positions,
            signatures.LOG_POPULARITY: items.log_popularity(positions),
        }
    )


def build_listing(
    items: ItemTable,
    positions: tf.Tensor,
    scores: tf.Tensor,
    stage: str,
    k: tf.Tensor,
    query_outputs: Tensors,
) -> Tensors:
    """Builds the outputs of a listing servable.

    Where no eligible item is left, or beyond the row's own `k`, the list has the id "", no stage,
    and the lowest finite score.

    Args:
        items: Ids of the catalogue.
        positions: Positions of the best items [batch, width], best first.
        scores: Their scores [batch, width].
        stage: Stage that computed the scores.
        k: Length of each row's list [batch].
        query_outputs: Outputs of the query model.
    """
    within = tf.range(tf.shape(positions)[1]) < k[:, tf.newaxis]
    positions = tf.where(within, positions, 0)
    return {
        signatures.ITEM_IDS: items.ids(positions),
        signatures.SCORES: tf.where(positions > 0, scores, EMPTY_SCORE),
        signatures.STAGES: tf.where(positions > 0, stage, ""),
        signatures.KNOWN_USER: query_outputs[signatures.USER_INDEX] > 0,
    }


def broadcast_inputs(inputs: Tensors) -> Tensors:
    """Broadcasts inputs [1, …] to [batch, …], where batch is the largest number of rows.

    Other sizes end the call with INVALID_ARGUMENT. `now` 0 becomes the present time; a history
    without timestamps gets the time `now`.
    """
    sizes = [tf.shape(value)[0] for value in inputs.values()]
    rows = tf.reduce_max(tf.stack(sizes))
    broadcast = {name: _broadcast(value, rows) for name, value in inputs.items()}
    broadcast[signatures.NOW] = _fill_now(broadcast[signatures.NOW])
    broadcast[signatures.HISTORY_TIMESTAMPS] = _fill_timestamps(broadcast)
    return broadcast


def _broadcast(value: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    shape = tf.concat([rows[tf.newaxis], tf.shape(value)[1:]], axis=0)
    return tf.ensure_shape(tf.broadcast_to(value, shape), value.shape)


def _fill_now(now: tf.Tensor) -> tf.Tensor:
    """Reads the clock only if a row needs it: TensorFlow refuses to in a process with deterministic
    ops, such as training.
    """
    return tf.cond(
        tf.reduce_any(now == 0),
        lambda: tf.where(now == 0, tf.cast(tf.timestamp(), tf.int64), now),
        lambda: now,
    )


def _fill_timestamps(inputs: Tensors) -> tf.Tensor:
    times, items = inputs[signatures.HISTORY_TIMESTAMPS], inputs[signatures.HISTORY_ITEM_IDS]
    length = tf.shape(items)[1]

    def check_given() -> tf.Tensor:
        same = tf.debugging.assert_equal(
            tf.shape(times)[1],
            length,
            f"{signatures.HISTORY_TIMESTAMPS} must be as long as {signatures.HISTORY_ITEM_IDS}, "
            "or be left out",
        )
        with tf.control_dependencies([same]):
            return tf.identity(times)

    def repeat_now() -> tf.Tensor:
        return tf.repeat(inputs[signatures.NOW][:, tf.newaxis], length, axis=1)

    return tf.cond(tf.shape(times)[1] == 0, repeat_now, check_given)


def compute_list_width(k: tf.Tensor) -> tf.Tensor:
    """The largest of `k` [batch]. A `k` below 1 ends the call with INVALID_ARGUMENT."""
    positive = tf.debugging.assert_positive(k, f"{signatures.K} must be at least 1")
    with tf.control_dependencies([positive]):
        return tf.reduce_max(k)
