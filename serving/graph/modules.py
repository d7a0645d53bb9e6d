"""The three servables, one graph each: `retrieval`, `ranking` and `recommender`."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures
from schema.recommend import Repeats
from serving.graph.eligible_search import EligibleSearch, Tensors
from serving.graph.item_table import ItemTable
from serving.graph.list_order import ListOrder
from serving.graph.request_inputs import broadcast_inputs, check_diversity, compute_list_width
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
    diversity: float = 0.0
    """Diversity of the final lists where a request does not set it, 0 to 1."""
    calibration: float = 0.0
    """How closely the categories of the final lists follow those of the history, 0 to 1."""


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
    """Retrieves, ranks, reorders and selects the best k in one call."""

    def __init__(
        self,
        models: RecommenderModels,
        items: ItemTable,
        order: ListOrder,
        categories: CategoryTable | None = None,
    ):
        """The query and ranking models are saved as the attributes `query` and `ranking`.

        Args:
            models: Query model, index and ranking model.
            items: Ids of the catalogue.
            order: Order of final lists.
            categories: As in `RetrievalServable`.
        """
        super().__init__()
        self.query = models.query
        self._items = items
        self._search = EligibleSearch(models.index, items, categories, models.repeats)
        self.ranking = models.ranking
        self._depth = models.depth
        self._rank_order = models.rank_order
        self._order = order

    def serve(self, inputs: Tensors) -> Tensors:
        """Returns `item_ids`, `scores`, `stages` [batch, k] and `known_user` [batch].

        Scores are those of the stage, also where items are not in the order of their scores for the
        sake of diversity or calibration.
        """
        inputs = broadcast_inputs(inputs)
        query_outputs = run_query_model(self.query, inputs)
        k = inputs[signatures.K]
        width = compute_list_width(k)
        positions, scores = self._order_candidates(inputs, query_outputs, width)
        diversity = check_diversity(inputs[signatures.DIVERSITY])
        order = self._reorder(positions, scores, query_outputs, diversity, width)
        positions, scores = (
            tf.gather(values, order[:, :width], batch_dims=1) for values in (positions, scores)
        )
        stage = signatures.RANKING if self._rank_order else signatures.RETRIEVAL
        return build_listing(self._items, positions, scores, stage, k, query_outputs)

    def _order_candidates(
        self, inputs: Tensors, query_outputs: Tensors, width: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Positions and scores [batch, candidates] in the served order. A row has as many as its
        own `k` needs, so that they do not depend on the other rows.
        """
        depth = tf.maximum(width, self._depth)
        positions, scores = self._search.search(inputs, query_outputs, depth)
        own = tf.maximum(inputs[signatures.K], self._depth)[:, tf.newaxis]
        positions = tf.where(tf.range(tf.shape(positions)[1]) < own, positions, 0)
        if not self._rank_order:
            return positions, scores
        relevance = score_candidates(self.ranking, self._items, query_outputs, positions)
        scores = tf.where(positions == 0, EMPTY_SCORE, relevance[signatures.RELEVANCE])
        best = tf.math.top_k(scores, tf.shape(scores)[1])
        return tf.gather(positions, best.indices, batch_dims=1), best.values

    def _reorder(
        self,
        positions: tf.Tensor,
        scores: tf.Tensor,
        query_outputs: Tensors,
        diversity: tf.Tensor,
        width: tf.Tensor,
    ) -> tf.Tensor:
        """Order of the candidates [batch, candidates]."""
        history = positions[:, :0]
        if self._order.is_calibrated:
            history = query_outputs[signatures.HISTORY_INDEX]
        return self._order.reorder(positions, scores, history, diversity, width)


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
