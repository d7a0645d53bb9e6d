"""Ranking metrics after each epoch, for a sample of valid's evaluation queries."""

import dataclasses
from typing import Protocol

import numpy as np
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import PopularityClock
from trainer.data.popularity_forecast import ItemPopularity
from trainer.data.windows import Batch
from trainer.metrics.ranking import average_metrics, compute_user_metrics
from trainer.metrics.top_k import compute_exact_products, iterate_blocks, rank_popular, select_top_k
from trainer.retrieval.build import compute_item_vectors
from trainer.retrieval.model import RetrievalModel

_DEPTH = 10
_MIN_USERS = 512
_MAX_SCORES = 100_000_000
SampleMetrics = dict[str, float]


@dataclasses.dataclass(frozen=True)
class ValidationSample:
    """Evaluation queries, and the items' popularity at their moment."""

    queries: EvaluationQueries
    log_popularity: np.ndarray
    """[n] as retrieval adds it to the scores."""
    batches: list[Batch]
    """The queries' histories, `trainer.metrics.top_k.BLOCK_ROWS` users each."""

    def measure(
        self, query_vectors: np.ndarray, vectors: np.ndarray, weight: float
    ) -> dict[str, np.ndarray]:
        """`recall@10` and `ndcg@10`, [users] each.

        Scores are the dot products of `query_vectors` [users, dim] and `vectors` [n, dim], plus
        `weight` times log popularity.
        """
        lists = []
        for part in iterate_blocks(len(query_vectors)):
            products = compute_exact_products(query_vectors[part], vectors)
            scores = products + np.float32(weight) * self.log_popularity
            interacted = self.queries.interacted[part]
            lists.append(select_top_k(scores, interacted, _DEPTH, self.queries.repeats))
        return _measure_users(np.concatenate(lists), self.queries.relevant)


def draw_sample(
    queries: EvaluationQueries,
    popularity: ItemPopularity,
    items: int,
    config: RetrievalConfig,
    seed: int,
) -> ValidationSample:
    """A uniform sample of the queries, small enough that measuring is cheap compared to an epoch.

    Args:
        queries: all evaluation queries of valid.
        popularity: popularity over the events that may be known.
        items: size of the catalogue; the larger it is, the fewer queries are drawn.
        config: history length.
        seed: seed of the sample.
    """
    size = min(len(queries), max(_MIN_USERS, _MAX_SCORES // items))
    chosen = np.random.default_rng(seed).choice(len(queries), size, replace=False)
    history = queries.timelines.target_from[queries.row[chosen]]
    chosen = chosen[np.lexsort((chosen, history))]  # similar lengths need little padding
    some = queries.select(chosen)
    batches = [some.batch(part, config.history_length) for part in iterate_blocks(size)]
    return ValidationSample(some, popularity.compute_log(queries.now), batches)


def measure_baselines(
    sample: ValidationSample, clock: PopularityClock, days: float
) -> dict[str, SampleMetrics]:
    """Metrics of two popularity baselines: events of all time, and of the last `days`."""
    queries = sample.queries
    counts = {"popular": clock.counts(queries.now), "recent": clock.counts(queries.now, days)}
    lists = {
        name: rank_popular(count, queries.interacted, _DEPTH, queries.repeats)
        for name, count in counts.items()
    }
    return {
        name: average_metrics(_measure_users(each, queries.relevant))
        for name, each in lists.items()
    }


def _measure_users(lists: np.ndarray, relevant: list[np.ndarray]) -> dict[str, np.ndarray]:
    metrics = compute_user_metrics(lists, relevant, (_DEPTH,))
    return {name: metrics[name] for name in ("recall@10", "ndcg@10")}


class QueryMeasure(Protocol):
    """Metrics after an epoch, whose `ndcg@10` is the mean of `ndcg_by_query`."""

    def __call__(self) -> SampleMetrics:
        """The metrics with the model's current weights."""
        ...

    def ndcg_by_query(self) -> np.ndarray:
        """[queries] NDCG@10 of each query, as of the last call; empty if it is unknown."""
        ...


class SampleMeasure:
    """Measures the sample with the model's current weights."""

    def __init__(
        self, model: RetrievalModel, sample: ValidationSample, items: int, temperature: float
    ) -> None:
        """`model` is the one in training, `items` the size of the catalogue; `temperature` divides
        the scores.
        """
        self._model = model
        self._sample = sample
        self._items = items
        self._temperature = temperature
        self._ndcg = np.zeros(0)

    def __call__(self) -> SampleMetrics:
        """Means over the sample's users of recall@10 and NDCG@10."""
        vectors = compute_item_vectors(self._model.candidate_tower, self._items)
        queries = self._encode(vectors) / self._temperature
        metrics = self._sample.measure(queries, vectors, self._model.popularity_weight)
        self._ndcg = metrics["ndcg@10"]
        return average_metrics(metrics)

    def ndcg_by_query(self) -> np.ndarray:
        """See `QueryMeasure`; a query is that of a user."""
        return self._ndcg

    def _encode(self, vectors: np.ndarray) -> np.ndarray:
        parts = [
            self._model.query_tower(
                _build_tensors(batch),
                tf.gather(vectors, batch["item_index"]),
                training=False,
            )[:, -1]
            for batch in self._sample.batches
        ]
        return tf.cast(tf.concat(parts, axis=0), tf.float32).numpy()


def _build_tensors(batch: Batch) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in batch.items()}
