"""The three servables, each one graph: `retrieval`, `ranking` and `recommender`.

Inputs that a request leaves out, or sends once for all rows, are broadcast in the graph.
"""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures
from serving.graph.item_table import ItemTable
from serving.index.eligibility import CategoryTable

EMPTY_SCORE = float(np.finfo(np.float32).min)
"""Score of a place without an item. JSON has no infinity."""
Tensors = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class RecommenderModels:
    """Loaded SavedModels of a recommender, and how it combines them."""

    query: Any
    index: Any
    ranking: Any
    depth: int
    """Items that go from retrieval to ranking."""
    rank_order: bool = True
    """False leaves retrieval's order in the final list: ranking was no better on valid."""


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

    def serve(self, inputs: Tensors) -> Tensors:
        """-> `item_ids`, `scores`, `stages` [batch, k], `known_user` [batch]."""
        inputs = broadcast_inputs(inputs)
        asked = run_query_model(self._query, inputs)
        allowed = look_up_categories(self._categories, inputs)
        k = inputs[signatures.K]
        width = compute_list_width(k)
        positions, scores = search_index(self._index, self._items, inputs, asked, allowed, width)
        return build_listing(self._items, positions, scores, signatures.RETRIEVAL, k, asked)


class RankingServable(tf.Module):
    """Every head's score of the candidates in the request."""

    def __init__(self, query: Any, items: ItemTable, ranking: Any):
        """`query` and `ranking` are loaded SavedModels."""
        super().__init__()
        self._query = query
        self._items = items
        self._ranking = ranking

    def serve(self, inputs: Tensors) -> Tensors:
        """-> `relevance` and each label [batch, candidates]."""
        inputs = broadcast_inputs(inputs)
        positions = self._items.positions(inputs[signatures.CANDIDATE_ITEM_IDS])
        return score_candidates(
            self._ranking, self._items, run_query_model(self._query, inputs), positions
        )


class RecommenderServable(tf.Module):
    """Retrieve, exclude, rank, and the best k of it, in one call."""

    def __init__(
        self, models: RecommenderModels, items: ItemTable, categories: CategoryTable | None = None
    ):
        """Query and ranking model are `query` and `ranking` in the SavedModel of this one.
        `categories` as in `RetrievalServable`.
        """
        super().__init__()
        self.query = models.query
        self._items = items
        self._index = models.index
        self.ranking = models.ranking
        self._depth = models.depth
        self._rank_order = models.rank_order
        self._categories = categories

    def serve(self, inputs: Tensors) -> Tensors:
        """-> `item_ids`, `scores`, `stages` [batch, k], `known_user` [batch]."""
        inputs = broadcast_inputs(inputs)
        asked = run_query_model(self.query, inputs)
        k = inputs[signatures.K]
        width = compute_list_width(k)
        depth = tf.maximum(width, self._depth)
        allowed = look_up_categories(self._categories, inputs)
        positions, scores = search_index(self._index, self._items, inputs, asked, allowed, depth)
        if not self._rank_order:
            parts = positions[:, :width], scores[:, :width]
            return build_listing(self._items, *parts, signatures.RETRIEVAL, k, asked)
        scores = score_candidates(self.ranking, self._items, asked, positions)[signatures.RELEVANCE]
        scores = tf.where(positions == 0, EMPTY_SCORE, scores)
        best = tf.math.top_k(scores, tf.minimum(width, tf.shape(scores)[1]))
        chosen = tf.gather(positions, best.indices, batch_dims=1)
        return build_listing(self._items, chosen, best.values, signatures.RANKING, k, asked)


def get_query_inputs(query: Any) -> dict[str, tf.TensorSpec]:
    """Inputs of a loaded query model by name."""
    (specs,), _ = query.query.concrete_functions[0].structured_input_signature
    return specs


def run_query_model(query: Any, inputs: Tensors) -> Tensors:
    """The query model on those of the inputs that are its own."""
    return query.query({name: inputs[name] for name in get_query_inputs(query)})


def look_up_categories(categories: CategoryTable | None, inputs: Tensors) -> tf.Tensor:
    """[batch, a] numbers of the allowed categories; [batch, 0], which allows all, without a
    table.
    """
    if categories is None:
        return tf.zeros([tf.shape(inputs[signatures.HISTORY_ITEM_IDS])[0], 0], tf.int32)
    return categories.numbers(inputs[signatures.ALLOWED_CATEGORIES])


def search_index(
    index: Any, items: ItemTable, inputs: Tensors, asked: Tensors, allowed: tf.Tensor, k: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Positions and scores [batch, min(k, available)] of the `allowed`, without history and
    exclusions.
    """
    ids = [inputs[signatures.HISTORY_ITEM_IDS], inputs[signatures.EXCLUDED_ITEM_IDS]]
    excluded = items.positions(tf.concat(ids, axis=1))
    return index.search(asked[signatures.VECTOR], excluded, allowed, k)


def score_candidates(
    ranking: Any, items: ItemTable, asked: Tensors, positions: tf.Tensor
) -> Tensors:
    """Ranking's scores of candidates by position; `asked` is what the query model answered."""
    return ranking.score(
        asked
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
    asked: Tensors,
) -> Tensors:
    """What a listing servable returns of the best, whose `scores` are from that `stage`.

    A place beyond the row's own `k` [batch], or that no eligible item was left for, has the id "",
    no stage, and the lowest finite score.
    """
    within = tf.range(tf.shape(positions)[1]) < k[:, tf.newaxis]
    positions = tf.where(within, positions, 0)
    return {
        signatures.ITEM_IDS: items.ids(positions),
        signatures.SCORES: tf.where(positions > 0, scores, EMPTY_SCORE),
        signatures.STAGES: tf.where(positions > 0, stage, ""),
        signatures.KNOWN_USER: asked[signatures.USER_INDEX] > 0,
    }


def broadcast_inputs(inputs: Tensors) -> Tensors:
    """[1, …] or [batch, …] each -> all [batch, …], the batch being the largest of them.

    Other sizes end the call with INVALID_ARGUMENT. `now` 0 becomes the present; a history without
    timestamps is taken to be of that moment.
    """
    sizes = [tf.shape(value)[0] for value in inputs.values()]
    rows = tf.reduce_max(tf.stack(sizes))
    spread = {name: _broadcast(value, rows) for name, value in inputs.items()}
    spread[signatures.NOW] = _fill_now(spread[signatures.NOW])
    spread[signatures.HISTORY_TIMESTAMPS] = _fill_timestamps(spread)
    return spread


def _broadcast(value: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    shape = tf.concat([rows[tf.newaxis], tf.shape(value)[1:]], axis=0)
    return tf.ensure_shape(tf.broadcast_to(value, shape), value.shape)


def _fill_now(now: tf.Tensor) -> tf.Tensor:
    """The clock is read where somebody wants it alone: a process that must be deterministic, as a
    training's is, refuses to.
    """
    return tf.cond(
        tf.reduce_any(now == 0),
        lambda: tf.where(now == 0, tf.cast(tf.timestamp(), tf.int64), now),
        lambda: now,
    )


def _fill_timestamps(inputs: Tensors) -> tf.Tensor:
    times, items = inputs[signatures.HISTORY_TIMESTAMPS], inputs[signatures.HISTORY_ITEM_IDS]
    length = tf.shape(items)[1]

    def given() -> tf.Tensor:
        same = tf.debugging.assert_equal(
            tf.shape(times)[1],
            length,
            f"{signatures.HISTORY_TIMESTAMPS} must be as long as {signatures.HISTORY_ITEM_IDS}, "
            "or be left out",
        )
        with tf.control_dependencies([same]):
            return tf.identity(times)

    def present() -> tf.Tensor:
        return tf.repeat(inputs[signatures.NOW][:, tf.newaxis], length, axis=1)

    return tf.cond(tf.shape(times)[1] == 0, present, given)


def compute_list_width(k: tf.Tensor) -> tf.Tensor:
    """[batch] -> [] the longest list that is asked for. None or fewer items cannot be: the call
    ends with INVALID_ARGUMENT.
    """
    least = tf.debugging.assert_positive(k, f"{signatures.K} must be at least 1")
    with tf.control_dependencies([least]):
        return tf.reduce_max(k)
