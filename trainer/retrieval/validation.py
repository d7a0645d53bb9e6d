"""Ranking metrics after each epoch, for a sample of valid's evaluation queries."""

import dataclasses

import numpy as np
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import PopularityClock, compute_log_popularity
from trainer.data.training_data import TrainingData
from trainer.data.windows import Batch
from trainer.metrics.ranking import average_metrics, compute_user_metrics
from trainer.metrics.top_k import compute_exact_products, iterate_blocks, rank_popular, select_top_k
from trainer.retrieval.build import compute_item_vectors
from trainer.retrieval.model import RetrievalModel
from trainer.training.callbacks import Measure

_DEPTH = 10
_MIN_USERS = 512
_MAX_SCORES = 20_000_000
SampleMetrics = dict[str, float]


@dataclasses.dataclass(frozen=True)
class ValidationSample:
    """Evaluation queries, and the items' popularity at their moment."""

    asked: EvaluationQueries
    log_popularity: np.ndarray
    """[n] over the trailing window, as retrieval adds it to the scores."""
    batches: list[Batch]
    """The queries' histories, `trainer.metrics.top_k.BLOCK_ROWS` users each."""

    def measure(self, queries: np.ndarray, vectors: np.ndarray, weight: float) -> SampleMetrics:
        """`recall@10` and `ndcg@10`.

        Scores are the dot products of `queries` [users, dim] and `vectors` [n, dim], plus `weight`
        times log popularity.
        """
        lists = []
        for part in iterate_blocks(len(queries)):
            products = compute_exact_products(queries[part], vectors)
            scores = products + np.float32(weight) * self.log_popularity
            lists.append(select_top_k(scores, self.asked.seen[part], _DEPTH))
        return measure_lists(np.concatenate(lists), self.asked.answers)


def draw_sample(
    asked: EvaluationQueries, clock: PopularityClock, items: int, config: RetrievalConfig, seed: int
) -> ValidationSample:
    """A uniform sample of the queries, small enough that measuring is cheap compared to an epoch.

    Args:
        asked: all evaluation queries of valid.
        clock: popularity over the events that may be known.
        items: size of the catalogue; the larger it is, the fewer queries are drawn.
        config: history length and popularity window.
        seed: seed of the sample.
    """
    size = min(len(asked), max(_MIN_USERS, _MAX_SCORES // items))
    chosen = np.random.default_rng(seed).choice(len(asked), size, replace=False)
    history = asked.timelines.target_from[asked.row[chosen]]
    chosen = chosen[np.lexsort((chosen, history))]  # similar lengths need little padding
    some = dataclasses.replace(
        asked,
        row=asked.row[chosen],
        seen=[asked.seen[user] for user in chosen],
        answers=[asked.answers[user] for user in chosen],
    )
    batches = [some.batch(part, config.history_length) for part in iterate_blocks(size)]
    votes = clock.votes(asked.now, config.popularity_days)
    return ValidationSample(some, compute_log_popularity(votes), batches)


def measure_baselines(
    sample: ValidationSample, clock: PopularityClock, days: float
) -> dict[str, SampleMetrics]:
    """Metrics of two popularity baselines: events of all time, and of the last `days`."""
    asked = sample.asked
    counts = {"popular": clock.counts(asked.now), "recent": clock.counts(asked.now, days)}
    return {
        name: measure_lists(rank_popular(count, asked.seen, _DEPTH), asked.answers)
        for name, count in counts.items()
    }


def measure_lists(lists: np.ndarray, answers: list[np.ndarray]) -> SampleMetrics:
    """Means over users of recall@10 and NDCG@10 of the lists [users, 10]."""
    means = average_metrics(compute_user_metrics(lists, answers, (_DEPTH,)))
    return {name: means[name] for name in ("recall@10", "ndcg@10")}


def build_tensors(batch: Batch) -> dict[str, tf.Tensor]:
    """The batch's arrays as tensors."""
    return {name: tf.constant(values) for name, values in batch.items()}


def create_measure(
    model: RetrievalModel, sample: ValidationSample, data: TrainingData, config: RetrievalConfig
) -> Measure:
    """A function that returns recall@10 and NDCG@10 of the sample with the current weights.

    Args:
        model: the model in training.
        sample: evaluation queries of valid.
        data: the catalogue.
        config: temperature of the scores.
    """

    def measure() -> dict[str, float]:
        vectors = compute_item_vectors(model.candidate_tower, data.catalogue.size)
        parts = [
            model.query_tower(
                build_tensors(batch),
                tf.gather(vectors, batch["item_index"]),
                training=False,
            )[:, -1]
            for batch in sample.batches
        ]
        queries = tf.cast(tf.concat(parts, axis=0), tf.float32).numpy() / config.temperature
        return sample.measure(queries, vectors, model.popularity_weight)

    return measure
