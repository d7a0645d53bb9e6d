"""Whose order is served: whether ranking's pays, as held-out events of valid say."""

import dataclasses
import json
from typing import Any

import numpy as np
import tensorflow as tf

from schema.signatures import RANKING, RETRIEVAL
from trainer import metrics, paired_difference, ranked_lists, two_stages
from trainer.config import RankingConfig
from trainer.event_moments import Moments
from trainer.paired_difference import Difference
from trainer.questions import Questions
from trainer.retrieval import query_vectors

VERDICT = "ranking.json"
_METRIC = "ndcg@10"
_SEED = 1


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


def measure(
    module: Any, asked: Questions, query: Any, moments: Moments, config: RankingConfig
) -> RankingVerdict:
    """Lists in retrieval's order and after ranking, asked of users that neither has learned from.

    `module` is the ranking module, `query` the loaded query model.
    """
    present = moments.log_popularity(asked.now)
    length = moments.config.history_length
    queries = query_vectors(query.positions, asked, length)
    stood = np.column_stack([moments.vectors, present])
    lists = ranked_lists.nearest(queries, stood, asked.seen, max(100, config.candidates))
    score = two_stages.scorer(module)
    final = two_stages.reranked(lists, queries, asked, present, score, config.candidates, length)
    return of_lists(final, lists, asked)


def of_lists(final: np.ndarray, lists: np.ndarray, asked: Questions) -> RankingVerdict:
    """`final` and `lists` [q, k]: the answers after ranking, and retrieval's own."""
    ours, theirs = (_per_user(each, asked) for each in (final, lists))
    difference = paired_difference.compare({_METRIC: ours}, {_METRIC: theirs}, _SEED)[_METRIC]
    return RankingVerdict(float(ours.mean()), float(theirs.mean()), difference)


def _per_user(lists: np.ndarray, asked: Questions) -> np.ndarray:
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
