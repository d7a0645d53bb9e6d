"""Both stages on the test split, beside the baselines, with only what was known at the cut."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from schema.candidates import Candidates
from trainer.config.models import EvaluationConfig, RankingConfig, RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.sufficient_data import require_queries
from trainer.data.training_data import TrainingData
from trainer.evaluation.baselines import rank_baselines
from trainer.evaluation.fairness import measure_fairness
from trainer.evaluation.quality import StageLists, build_list_evaluator, evaluate_stages
from trainer.metrics.top_k import rank_nearest
from trainer.ranking.label_errors import measure_label_errors
from trainer.ranking.rerank import create_scorer, rerank
from trainer.retrieval.export import encode_queries

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
    beside: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """`query` and `ranking` are the loaded SavedModels; `order` says whose order is served;
    `pushed` [users, depth] are the lists of the version that is pushed now, for the same users, and
    `beside` others by name.

    Returns `retrieval` {metrics, users, baselines} and `ranking` {order, metrics of the final lists
    as served, `reranked`: metrics in ranking's order, `labels`: errors per label}. Both have
    `intervals`, `slices`, and `against`: differences from the baselines (and of the final lists
    from retrieval and the pushed version) with a verdict. `fairness`: the declared groups on the
    final lists. `pushed`: metrics of these lists, where there are any, and `beside` by name. Raises
    DataRefused where nobody can be asked.
    """
    asked = build_queries(data.test, data.moment(data.test))
    require_queries(asked, "test", data)
    known = data.clock(data.train, data.valid)
    at_test = np.pad(candidates.vectors_at_test(), [(1, 0), (0, 0)])
    retrieved, reranked = _rank_both_stages(
        asked, query, ranking, at_test, retrieval_config, ranking_config
    )
    stages = evaluate_stages(
        build_list_evaluator(asked, known, at_test[:, :-1], data),
        StageLists(
            retrieval=retrieved,
            reranked=reranked,
            order=order,
            baselines=rank_baselines(known, asked, config.recent_days, _DEPTH),
            pushed=pushed,
            beside=beside or {},
        ),
    )
    found = stages.as_json()
    labels = measure_label_errors(data, query, ranking, at_test[:, :-1], retrieval_config)
    found["ranking"]["labels"] = labels
    return found | {"fairness": measure_fairness(config.fairness, stages.served, data)}


def _rank_both_stages(
    asked: EvaluationQueries,
    query: Any,
    ranking: Any,
    at_test: np.ndarray,
    retrieval_config: RetrievalConfig,
    ranking_config: RankingConfig,
) -> tuple[np.ndarray, np.ndarray]:
    """[users, depth] in retrieval's order, and in ranking's."""
    queries = encode_queries(query.positions, asked, retrieval_config.history_length)
    depth = max(_DEPTH, ranking_config.candidates)
    retrieved = rank_nearest(queries, at_test, asked.seen, depth)
    reranked = rerank(
        retrieved,
        queries,
        asked,
        at_test[:, -1],
        create_scorer(ranking),
        ranking_config.candidates,
        retrieval_config.history_length,
    )
    return retrieved, reranked
