"""Both stages on the test split, beside the baselines, reading only what was known at the cut."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from schema.candidates import Candidates
from trainer import stage_quality
from trainer.config.models import EvaluationConfig, RankingConfig, RetrievalConfig
from trainer.data import sufficient_data
from trainer.data.evaluation_queries import Questions, ask
from trainer.data.training_data import TrainingData
from trainer.evaluation import baselines, fairness
from trainer.evaluation import quality as list_quality
from trainer.metrics import top_k as ranked_lists
from trainer.ranking import label_errors
from trainer.ranking import rerank as two_stages
from trainer.retrieval.stage import query_vectors
from trainer.stage_quality import StageLists

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
    asked = ask(data.test, data.moment(data.test))
    sufficient_data.require_queries(asked, "test", data)
    known = data.clock(data.train, data.valid)
    at_test = np.pad(candidates.vectors_at_test(), [(1, 0), (0, 0)])
    retrieved, reranked = _both_stages(
        asked, query, ranking, at_test, retrieval_config, ranking_config
    )
    stages = stage_quality.measure(
        list_quality.judge(asked, known, at_test[:, :-1], data),
        StageLists(
            retrieval=retrieved,
            reranked=reranked,
            order=order,
            baselines=baselines.lists(known, asked, config.recent_days, _DEPTH),
            pushed=pushed,
            beside=beside or {},
        ),
    )
    found = stages.as_json()
    labels = label_errors.measure(data, query, ranking, at_test[:, :-1], retrieval_config)
    found["ranking"]["labels"] = labels
    return found | {"fairness": fairness.measure(config.fairness, stages.served, data)}


def _both_stages(
    asked: Questions,
    query: Any,
    ranking: Any,
    at_test: np.ndarray,
    retrieval_config: RetrievalConfig,
    ranking_config: RankingConfig,
) -> tuple[np.ndarray, np.ndarray]:
    """[users, depth] in retrieval's order, and in ranking's."""
    queries = query_vectors(query.positions, asked, retrieval_config.history_length)
    depth = max(_DEPTH, ranking_config.candidates)
    retrieved = ranked_lists.nearest(queries, at_test, asked.seen, depth)
    reranked = two_stages.reranked(
        retrieved,
        queries,
        asked,
        at_test[:, -1],
        two_stages.scorer(ranking),
        ranking_config.candidates,
        retrieval_config.history_length,
    )
    return retrieved, reranked
