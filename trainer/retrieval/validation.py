"""Ranking metrics between two epochs: a sample of valid's users asked as evaluation asks them."""

import dataclasses

import numpy as np
import tensorflow as tf

from trainer import exact_products
from trainer.config.models import RetrievalConfig
from trainer.data import popularity
from trainer.data.evaluation_queries import Questions
from trainer.data.popularity import PopularityClock
from trainer.data.windows import Batch
from trainer.metrics import ranking as metrics
from trainer.metrics import top_k as ranked_lists

_DEPTH = 10
_FEWEST = 512
_SCORES = 20_000_000
Metrics = dict[str, float]


@dataclasses.dataclass(frozen=True)
class ValidationSample:
    """Users, and the popularity of the items as it stood when they are asked."""

    asked: Questions
    log_popularity: np.ndarray
    """[n] of the trailing window that retrieval adds."""
    batches: list[Batch]
    """Their histories, `ranked_lists.ROWS` users each."""

    def measure(self, queries: np.ndarray, vectors: np.ndarray, weight: float) -> Metrics:
        """`recall@10` and `ndcg@10`; `weight` is popularity's.

        `queries` [users, dim] and `vectors` [n, dim] give the taste by their dot product.
        """
        lists = []
        for part in ranked_lists.slices(len(queries)):
            taste = exact_products.products(queries[part], vectors)
            scores = taste + np.float32(weight) * self.log_popularity
            lists.append(ranked_lists.top(scores, self.asked.seen[part], _DEPTH))
        return measured(np.concatenate(lists), self.asked.answers)


def draw(
    asked: Questions, clock: PopularityClock, items: int, config: RetrievalConfig, seed: int
) -> ValidationSample:
    """So many of those asked, each as likely as the next, that measuring stays cheap beside an
    epoch: the larger the catalogue, the fewer.
    """
    size = min(len(asked), max(_FEWEST, _SCORES // items))
    chosen = np.random.default_rng(seed).choice(len(asked), size, replace=False)
    history = asked.timelines.target_from[asked.row[chosen]]
    chosen = chosen[np.lexsort((chosen, history))]  # users of like history share little padding
    some = dataclasses.replace(
        asked,
        row=asked.row[chosen],
        seen=[asked.seen[user] for user in chosen],
        answers=[asked.answers[user] for user in chosen],
    )
    batches = [some.batch(part, config.history_length) for part in ranked_lists.slices(size)]
    votes = clock.votes(asked.now, config.popularity_days)
    return ValidationSample(some, popularity.log_popularity(votes), batches)


def baselines(sample: ValidationSample, clock: PopularityClock, days: float) -> dict[str, Metrics]:
    """The same of two counters: events of all time, and of the last `days`."""
    asked = sample.asked
    counts = {"popular": clock.counts(asked.now), "recent": clock.counts(asked.now, days)}
    return {
        name: measured(ranked_lists.popular(count, asked.seen, _DEPTH), asked.answers)
        for name, count in counts.items()
    }


def measured(lists: np.ndarray, answers: list[np.ndarray]) -> Metrics:
    """Means over users of recall@10 and NDCG@10 of their lists [users, 10]."""
    found = metrics.means(metrics.per_user(lists, answers, (_DEPTH,)))
    return {name: found[name] for name in ("recall@10", "ndcg@10")}


def tensors(batch: Batch) -> dict[str, tf.Tensor]:
    """The batch as a tower takes it."""
    return {name: tf.constant(values) for name, values in batch.items()}
