"""Whether the lists are served in the order of ranking or of retrieval, decided on held-out events
of valid.
"""

import dataclasses
import json
from typing import Any

import numpy as np
import tensorflow as tf

from schema.signatures import RANKING, RETRIEVAL
from trainer.config.models import RankingConfig
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.timelines import Timelines, restrict_from
from trainer.metrics import confidence
from trainer.metrics.confidence import Difference
from trainer.metrics.ranking import compute_user_metrics
from trainer.metrics.top_k import rank_nearest
from trainer.ranking.inputs import RetrievalState
from trainer.ranking.rerank import Ranker, ScoreFunction, create_scorer, rerank
from trainer.retrieval.export import encode_queries

VERDICT_FILE = "ranking.json"
_METRIC = "ndcg@10"
_SEED = 1
_QUERY_TIMES = 4


@dataclasses.dataclass(frozen=True)
class RankingVerdict:
    """NDCG@10 of the same users' lists in both orders."""

    ranking: float
    retrieval: float
    difference: Difference

    @property
    def order(self) -> str:
        """`ranking` where its mean is better and its difference not `worse`, else `retrieval`."""
        pays = self.difference.value > 0 and self.difference.verdict != "worse"
        return RANKING if pays else RETRIEVAL

    def measures(self) -> dict[str, float]:
        """The numbers by name."""
        return {
            f"valid_ranking_{_METRIC}": self.ranking,
            f"valid_retrieval_{_METRIC}": self.retrieval,
            "valid_difference": self.difference.value,
            "valid_difference_low": self.difference.low,
            "valid_difference_high": self.difference.high,
        }


@dataclasses.dataclass(frozen=True)
class OrderedLists:
    """The answers to questions [q] in both orders."""

    asked: EvaluationQueries
    final: np.ndarray
    """[q, k] after ranking."""
    lists: np.ndarray
    """[q, k] in retrieval's order."""


def build_repeated_queries(
    split: Timelines, has_clock: bool, first: int
) -> list[EvaluationQueries]:
    """The split's users, asked at `first` and where each further quarter of its events begins.

    One moment has few users, and decides by chance between orders that are nearly as good. Without
    a clock there is one moment.
    """
    times = np.sort(split.timestamps[split.own & split.positive])
    later = [int(times[len(times) * part // _QUERY_TIMES]) for part in range(1, _QUERY_TIMES)]
    begins = (
        [first, *sorted({moment for moment in later if moment > first})] if has_clock else [first]
    )
    asked = [build_queries(restrict_from(split, m) if m > first else split, m) for m in begins]
    return [each for each in asked if len(each)]


def measure_orders(
    module: Any,
    asked: list[EvaluationQueries],
    query: Any,
    moments: RetrievalState,
    config: RankingConfig,
) -> RankingVerdict:
    """Lists in retrieval's order and after ranking, asked of users that neither has learned from.

    `module` is the ranking module, `query` the loaded query model.
    """
    score = create_scorer(module)
    return compare_orders([_rank_lists(score, each, query, moments, config) for each in asked])


def _rank_lists(
    score: ScoreFunction,
    asked: EvaluationQueries,
    query: Any,
    moments: RetrievalState,
    config: RankingConfig,
) -> OrderedLists:
    present = moments.log_popularity(asked.now)
    length = moments.config.history_length
    queries = encode_queries(query.positions, asked, length)
    stood = np.column_stack([moments.vectors, present])
    lists = rank_nearest(queries, stood, asked.seen, max(100, config.candidates))
    final = rerank(lists, queries, asked, present, Ranker(score, config.candidates, length))
    return OrderedLists(asked, final, lists)


def compare_orders(answered: list[OrderedLists]) -> RankingVerdict:
    """A user counts once, with the mean of what he was answered at each moment."""
    users = np.concatenate([each.asked.timelines.user_ids[each.asked.row] for each in answered])
    _, user = np.unique(users, return_inverse=True)
    ours = _average_by_user([_compute_list_ndcg(each.final, each.asked) for each in answered], user)
    theirs = _average_by_user(
        [_compute_list_ndcg(each.lists, each.asked) for each in answered], user
    )
    difference = confidence.compare_paired({_METRIC: ours}, {_METRIC: theirs}, _SEED)[_METRIC]
    return RankingVerdict(float(ours.mean()), float(theirs.mean()), difference)


def _average_by_user(found: list[np.ndarray], user: np.ndarray) -> np.ndarray:
    return np.bincount(user, weights=np.concatenate(found)) / np.bincount(user)


def _compute_list_ndcg(lists: np.ndarray, asked: EvaluationQueries) -> np.ndarray:
    return compute_user_metrics(lists, asked.answers)[_METRIC]


def write_verdict(verdict: RankingVerdict, model_uri: str) -> None:
    """Beside the SavedModel: `order`, the numbers, and the paired difference with its verdict."""
    folder = f"{model_uri}/assets.extra"
    tf.io.gfile.makedirs(folder)
    found = verdict.measures() | {"difference": dataclasses.asdict(verdict.difference)}
    with tf.io.gfile.GFile(f"{folder}/{VERDICT_FILE}", "w") as file:
        json.dump({"order": verdict.order} | found, file)


def read_serving_order(model_uri: str) -> str:
    """`ranking` or `retrieval`: whose order pays, as training measured it on valid."""
    with tf.io.gfile.GFile(f"{model_uri}/assets.extra/{VERDICT_FILE}") as file:
        return json.load(file)["order"]
