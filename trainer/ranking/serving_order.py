"""Decides on held-out events of valid whether lists are served in ranking's or in retrieval's
order.
"""

import dataclasses
import itertools
import json
from typing import Any

import numpy as np
import tensorflow as tf

from schema.recommend import Repeats
from schema.signatures import RANKING, RETRIEVAL
from trainer.config.models import RankingConfig
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.timelines import Timelines, restrict_from
from trainer.metrics.clustered import compare_clustered
from trainer.metrics.confidence import Difference
from trainer.metrics.ranking import compute_user_metrics
from trainer.metrics.top_k import rank_nearest
from trainer.ranking.inputs import RetrievalState
from trainer.ranking.rerank import Ranker, ScoreFunction, create_scorer, rerank
from trainer.retrieval.export import encode_queries

VERDICT_FILE = "ranking.json"
_METRIC = "ndcg@10"
_PERIODS = 8
_MAX_USERS = 4096
_SEED = 1
_MARGIN = 0.001


@dataclasses.dataclass(frozen=True)
class RankingVerdict:
    """NDCG@10 of the same users' lists in both orders."""

    ranking: float
    retrieval: float
    difference: Difference

    @property
    def order(self) -> str:
        """`ranking` where it is better beyond doubt and by more than a margin, else `retrieval`: a
        wrong choice of ranking costs quality, a wrong choice of retrieval only an improvement.
        """
        better = self.difference.verdict == "better" and self.difference.value > _MARGIN
        return RANKING if better else RETRIEVAL

    def measures(self) -> dict[str, float]:
        """The verdict's metrics by name."""
        return {
            f"valid_ranking_{_METRIC}": self.ranking,
            f"valid_retrieval_{_METRIC}": self.retrieval,
            "valid_difference": self.difference.value,
            "valid_difference_low": self.difference.low,
            "valid_difference_high": self.difference.high,
        }


@dataclasses.dataclass(frozen=True)
class OrderedLists:
    """Lists for `q` evaluation queries in both orders."""

    queries: EvaluationQueries
    final: np.ndarray
    """[q, k] after ranking."""
    lists: np.ndarray
    """[q, k] in retrieval's order."""


def build_repeated_queries(
    split: Timelines, has_clock: bool, first: int, repeats: Repeats = "exclude"
) -> list[EvaluationQueries]:
    """Evaluation queries at `first` (seconds since epoch, UTC) and at the beginning of each further
    eighth of the split's events, each with the events of its own eighth only.

    One moment would decide by what happened to be popular after it. Without a clock there is only
    one moment.
    """
    if not has_clock:
        return [build_queries(split, first, repeats)]
    times = np.sort(split.timestamps[split.own & split.positive])
    later = {int(times[len(times) * part // _PERIODS]) for part in range(1, _PERIODS)}
    begins = [first, *sorted(moment for moment in later if moment > first)]
    queries = [
        build_queries(_restrict_to(split, begin, end), begin, repeats)
        for begin, end in itertools.pairwise([*begins, int(times[-1]) + 1])
    ]
    return [_draw_users(each) for each in queries if len(each)]


def _draw_users(queries: EvaluationQueries) -> EvaluationQueries:
    """At most 4,096 of the users: the moments bound the certainty, not the users of each."""
    if len(queries) <= _MAX_USERS:
        return queries
    drawn = np.random.default_rng(_SEED).choice(len(queries), _MAX_USERS, replace=False)
    return queries.select(np.sort(drawn))


def _restrict_to(split: Timelines, begin: int, end: int) -> Timelines:
    """The split from `begin` until just before `end`; earlier events are history."""
    within = split.positive & (split.timestamps < end)
    return restrict_from(dataclasses.replace(split, positive=within), begin)


def measure_orders(
    module: Any,
    queries: list[EvaluationQueries],
    query: Any,
    state: RetrievalState,
    config: RankingConfig,
) -> RankingVerdict:
    """Compares the lists in retrieval's order with those in ranking's.

    Args:
        module: the ranking module.
        queries: evaluation queries of events that neither stage has learned from.
        query: the loaded query model.
        state: item vectors and popularity of retrieval.
        config: number of candidates.
    """
    score = create_scorer(module)
    return compare_orders([_rank_lists(score, each, query, state, config) for each in queries])


def _rank_lists(
    score: ScoreFunction,
    queries: EvaluationQueries,
    query: Any,
    state: RetrievalState,
    config: RankingConfig,
) -> OrderedLists:
    popularity = state.log_popularity(queries.now)
    length = state.config.history_length
    query_vectors = encode_queries(query.positions, queries, length)
    vectors = np.column_stack([state.vectors, popularity])
    depth = max(100, config.candidates)
    lists = rank_nearest(query_vectors, vectors, queries.interacted, depth, queries.repeats)
    ranked = rerank(
        lists, query_vectors, queries, popularity, Ranker(score, config.candidates, length)
    )
    return OrderedLists(queries, ranked.items, lists)


def compare_orders(answered: list[OrderedLists]) -> RankingVerdict:
    """The verdict over users; a user counts once, with the mean NDCG over all moments."""
    users = np.concatenate([each.queries.timelines.user_ids[each.queries.row] for each in answered])
    period = np.repeat(np.arange(len(answered)), [len(each.queries) for each in answered])
    ours, theirs = (
        np.concatenate([_compute_list_ndcg(lists, each.queries) for each, lists in parts])
        for parts in (
            [(each, each.final) for each in answered],
            [(each, each.lists) for each in answered],
        )
    )
    difference = compare_clustered(ours - theirs, users, period)
    return RankingVerdict(_average(ours, users), _average(theirs, users), difference)


def _average(values: np.ndarray, users: np.ndarray) -> float:
    """The mean over users of each one's mean."""
    _, user = np.unique(users, return_inverse=True)
    return float((np.bincount(user, weights=values) / np.bincount(user)).mean())


def _compute_list_ndcg(lists: np.ndarray, queries: EvaluationQueries) -> np.ndarray:
    return compute_user_metrics(lists, queries.relevant)[_METRIC]


def write_verdict(verdict: RankingVerdict, model_uri: str) -> None:
    """Writes `order`, the metrics and the paired difference into the SavedModel's
    `assets.extra`.
    """
    folder = f"{model_uri}/assets.extra"
    tf.io.gfile.makedirs(folder)
    content = verdict.measures() | {"difference": dataclasses.asdict(verdict.difference)}
    with tf.io.gfile.GFile(f"{folder}/{VERDICT_FILE}", "w") as file:
        json.dump({"order": verdict.order} | content, file)


def read_serving_order(model_uri: str) -> str:
    """The serving order that training selected on valid: `ranking` or `retrieval`."""
    with tf.io.gfile.GFile(f"{model_uri}/assets.extra/{VERDICT_FILE}") as file:
        return json.load(file)["order"]
