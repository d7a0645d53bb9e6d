"""Whose order is served: whether ranking's pays, as held-out events of valid say."""

import dataclasses
import json
from typing import Any

import numpy as np
import tensorflow as tf

from schema.signatures import RANKING, RETRIEVAL
from trainer import paired_difference
from trainer.config.models import RankingConfig
from trainer.data import evaluation_queries as questions
from trainer.data.evaluation_queries import Questions
from trainer.data.timelines import Timelines, from_moment
from trainer.metrics import ranking as metrics
from trainer.metrics import top_k as ranked_lists
from trainer.paired_difference import Difference
from trainer.ranking import rerank as two_stages
from trainer.ranking.inputs import Moments
from trainer.retrieval.stage import query_vectors

VERDICT = "ranking.json"
_METRIC = "ndcg@10"
_SEED = 1
_MOMENTS = 4


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
class Answered:
    """The answers to questions [q] in both orders."""

    asked: Questions
    final: np.ndarray
    """[q, k] after ranking."""
    lists: np.ndarray
    """[q, k] in retrieval's order."""


def repeatedly(split: Timelines, has_clock: bool, first: int) -> list[Questions]:
    """The split's users, asked at `first` and where each further quarter of its events begins.

    One moment has few users, and decides by chance between orders that are nearly as good. Without
    a clock there is one moment.
    """
    times = np.sort(split.timestamps[split.own & split.positive])
    later = [int(times[len(times) * part // _MOMENTS]) for part in range(1, _MOMENTS)]
    begins = (
        [first, *sorted({moment for moment in later if moment > first})] if has_clock else [first]
    )
    asked = [questions.ask(from_moment(split, m) if m > first else split, m) for m in begins]
    return [each for each in asked if len(each)]


def measure(
    module: Any, asked: list[Questions], query: Any, moments: Moments, config: RankingConfig
) -> RankingVerdict:
    """Lists in retrieval's order and after ranking, asked of users that neither has learned from.

    `module` is the ranking module, `query` the loaded query model.
    """
    score = two_stages.scorer(module)
    return of_lists([_answered(score, each, query, moments, config) for each in asked])


def _answered(
    score: two_stages.Score, asked: Questions, query: Any, moments: Moments, config: RankingConfig
) -> Answered:
    present = moments.log_popularity(asked.now)
    length = moments.config.history_length
    queries = query_vectors(query.positions, asked, length)
    stood = np.column_stack([moments.vectors, present])
    lists = ranked_lists.nearest(queries, stood, asked.seen, max(100, config.candidates))
    final = two_stages.reranked(lists, queries, asked, present, score, config.candidates, length)
    return Answered(asked, final, lists)


def of_lists(answered: list[Answered]) -> RankingVerdict:
    """A user counts once, with the mean of what he was answered at each moment."""
    users = np.concatenate([each.asked.timelines.user_ids[each.asked.row] for each in answered])
    _, user = np.unique(users, return_inverse=True)
    ours = _per_user([_ndcg(each.final, each.asked) for each in answered], user)
    theirs = _per_user([_ndcg(each.lists, each.asked) for each in answered], user)
    difference = paired_difference.compare({_METRIC: ours}, {_METRIC: theirs}, _SEED)[_METRIC]
    return RankingVerdict(float(ours.mean()), float(theirs.mean()), difference)


def _per_user(found: list[np.ndarray], user: np.ndarray) -> np.ndarray:
    return np.bincount(user, weights=np.concatenate(found)) / np.bincount(user)


def _ndcg(lists: np.ndarray, asked: Questions) -> np.ndarray:
    return metrics.per_user(lists, asked.answers)[_METRIC]


def write(verdict: RankingVerdict, model_uri: str) -> None:
    """Beside the SavedModel: `order`, the numbers, and the paired difference with its verdict."""
    folder = f"{model_uri}/assets.extra"
    tf.io.gfile.makedirs(folder)
    found = verdict.measures() | {"difference": dataclasses.asdict(verdict.difference)}
    with tf.io.gfile.GFile(f"{folder}/{VERDICT}", "w") as file:
        json.dump({"order": verdict.order} | found, file)


def served_order(model_uri: str) -> str:
    """`ranking` or `retrieval`: whose order pays, as training measured it on valid."""
    with tf.io.gfile.GFile(f"{model_uri}/assets.extra/{VERDICT}") as file:
        return json.load(file)["order"]
