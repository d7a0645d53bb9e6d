"""Both stages on the test split, beside the baselines, reading only what was known at the cut."""

from typing import Any

import numpy as np

from schema.candidates import Candidates
from schema.errors import DataRefused
from schema.signatures import RANKING
from trainer import (
    baselines,
    fairness,
    label_errors,
    list_quality,
    ranked_lists,
    slices,
    two_stages,
)
from trainer.config import EvaluationConfig, RankingConfig, RetrievalConfig
from trainer.list_quality import MeasuredLists
from trainer.questions import Questions, ask
from trainer.retrieval import query_vectors
from trainer.training_data import TrainingData

_DEPTH = 100


def evaluate(
    data: TrainingData,
    query: Any,
    ranking: Any,
    order: str,
    candidates: Candidates,
    retrieval_config: RetrievalConfig,
    ranking_config: RankingConfig,
    config: EvaluationConfig,
    pushed: np.ndarray | None = None,
) -> dict[str, Any]:
    """`query` and `ranking` are the loaded SavedModels; `order` says whose order is served;
    `pushed` [users, depth] are the lists of the version that is pushed now, for the same users.

    Returns `retrieval` {metrics, users, baselines} and `ranking` {order, metrics of the final lists
    as served, `reranked`: metrics in ranking's order, `labels`: errors per label}. Both have
    `intervals`, `slices`, and `against`: differences from the baselines (and of the final lists
    from retrieval and the pushed version) with a verdict. `fairness`: the declared groups on the
    final lists. `pushed`: metrics of these lists, where there are any. Raises DataRefused where
    nobody can be asked.
    """
    asked = _askable(ask(data.test, data.moment(data.test)))
    known = data.clock(data.train, data.valid)
    at_test = np.pad(candidates.vectors_at_test(), [(1, 0), (0, 0)])
    queries = query_vectors(query.positions, asked, retrieval_config.history_length)
    depth = max(_DEPTH, ranking_config.candidates)
    lists = ranked_lists.nearest(queries, at_test, asked.seen, depth)
    final = two_stages.reranked(
        lists,
        queries,
        asked,
        at_test[:, -1],
        two_stages.scorer(ranking),
        ranking_config.candidates,
        retrieval_config.history_length,
    )
    judge = list_quality.judge(asked, known, at_test[:, :-1], data)
    others = {
        name: judge.measured(other)
        for name, other in baselines.lists(known, asked, config.recent_days, _DEPTH).items()
    }
    retrieved, reranked = judge.measured(lists), judge.measured(final)
    served = reranked if order == RANKING else retrieved
    theirs = {} if pushed is None else {"pushed": judge.measured(pushed)}
    return {
        "retrieval": _in_full(retrieved, others)
        | {
            "users": len(asked),
            "baselines": {name: other.summary() for name, other in others.items()},
        }
        | slices.note(len(asked)),
        "ranking": _in_full(served, others | {"retrieval": retrieved} | theirs)
        | {
            "order": order,
            "reranked": reranked.summary(),
            "labels": label_errors.measure(data, query, ranking, at_test[:, :-1], retrieval_config),
        },
        "fairness": fairness.measure(config.fairness, served, data),
    } | {name: lists.summary() for name, lists in theirs.items()}


def _askable(asked: Questions) -> Questions:
    if not len(asked):
        raise DataRefused(
            "evaluation: expected a test user who took an item of the catalogue that he had not "
            "seen before, received none; use more data or a larger split.test_fraction"
        )
    return asked


def _in_full(lists: MeasuredLists, others: dict[str, MeasuredLists]) -> dict[str, Any]:
    return lists.summary() | {"slices": lists.slices(), "against": lists.against(others)}
