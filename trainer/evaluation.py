"""Both stages on the test split, beside the baselines, reading only what was known at the cut."""

from typing import Any

import numpy as np

from schema.candidates import Candidates
from schema.signatures import RANKING
from trainer import bias_baseline, metrics, ranked_lists, two_stages
from trainer.config import EvaluationConfig, RankingConfig, RetrievalConfig
from trainer.popularity import PopularityClock
from trainer.questions import Questions, ask
from trainer.ranking import encoder, scorer
from trainer.ranking_examples import Moments, event_queries
from trainer.retrieval import query_vectors
from trainer.training_data import TrainingData

_DEPTH = 100
Metrics = dict[str, float]


def evaluate(
    data: TrainingData,
    query: Any,
    ranking: Any,
    order: str,
    candidates: Candidates,
    retrieval_config: RetrievalConfig,
    ranking_config: RankingConfig,
    config: EvaluationConfig,
) -> dict[str, object]:
    """`query` and `ranking` are the loaded SavedModels; `order` says whose order is served.

    Returns `retrieval` {metrics, users, baselines} and `ranking` {order, metrics of the final lists
    as served, `reranked`: metrics in ranking's order, `labels`: errors per label}.
    """
    asked = ask(data.test, data.moment(data.test))
    known = data.clock(data.train, data.valid)
    at_test = np.pad(candidates.vectors_at_test(), [(1, 0), (0, 0)])
    queries = query_vectors(query.positions, asked, retrieval_config.history_length)
    depth = max(_DEPTH, ranking_config.candidates)
    lists = ranked_lists.nearest(queries, at_test, asked.seen, depth)
    final = two_stages.reranked(
        lists, queries, asked, at_test[:, -1], scorer(ranking), ranking_config.candidates
    )
    size = data.catalogue.size
    retrieved = metrics.summary(lists, asked.answers, size)
    reranked = metrics.summary(final, asked.answers, size)
    return {
        "retrieval": retrieved
        | {"users": len(asked), "baselines": baselines(known, asked, config, size)},
        "ranking": (reranked if order == RANKING else retrieved)
        | {
            "order": order,
            "reranked": reranked,
            "labels": label_errors(data, query, ranking, at_test, retrieval_config),
        },
    }


def baselines(
    clock: PopularityClock, asked: Questions, config: EvaluationConfig, size: int
) -> dict[str, Metrics]:
    """What two counters reach: events of all time, and of the last `recent_days`."""
    counts = {
        "popular": clock.counts(asked.now),
        "recent": clock.counts(asked.now, config.recent_days),
    }
    return {
        name: metrics.summary(ranked_lists.popular(c, asked.seen, _DEPTH), asked.answers, size)
        for name, c in counts.items()
    }


def label_errors(
    data: TrainingData, query: Any, ranking: Any, at_test: np.ndarray, config: RetrievalConfig
) -> dict[str, Metrics]:
    """Per label, on the test events that have it: RMSE (of the probability, for binary) beside
    the bias baseline's.
    """
    split = data.test
    moments = Moments(encoder(query), at_test[:, :-1], data.clock(data.train, data.valid), config)
    queries = event_queries(split, moments)
    chosen = np.flatnonzero(split.own & split.positive & (split.item_index > 0))
    item, user = split.item_index[chosen], split.user_index[split.rows[chosen]]
    outputs = scorer(ranking)(
        queries[chosen], user, item[:, None], at_test[item, -1].astype(np.float32)[:, None]
    )
    found = {}
    for name, label in data.dataset.labels.ranking.items():
        values = split.labels[name][chosen]
        known = ~np.isnan(values)
        truth = (values >= label.at_least).astype(float) if label.kind == "binary" else values
        baseline = bias_baseline.of_training(data, name, label).predict(user, item)
        found[name] = {
            "rmse": _rmse(outputs[name][known, 0], truth[known]),
            "bias_baseline_rmse": _rmse(baseline[known], truth[known]),
            "events": int(known.sum()),
        }
    return found


def _rmse(predicted: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((predicted - truth) ** 2)))
