"""Evaluates both stages and the baselines on test, with only what was known at the cut."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from schema.signatures import RANKING
from trainer.config.models import EvaluationConfig
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.popularity import PopularityClock, find_users
from trainer.data.sufficient_data import require_queries
from trainer.data.training_data import TrainingData
from trainer.evaluation.baselines.peers import rank_peers
from trainer.evaluation.baselines.rank import rank_baselines
from trainer.evaluation.diversity_curve import measure_diversity_curve
from trainer.evaluation.fairness import measure_fairness
from trainer.evaluation.final_lists import FinalOrder, ServedCandidates, score_retrieved
from trainer.evaluation.quality import build_list_evaluator
from trainer.evaluation.stage_quality import StageLists, evaluate_stages
from trainer.evaluation.trained_stages import TrainedStages
from trainer.metrics.top_k import rank_nearest
from trainer.ranking.inputs import gather_query_history
from trainer.ranking.label_errors import measure_label_errors
from trainer.ranking.rerank import Ranker, ScoredLists, create_scorer, rerank
from trainer.retrieval.export import encode_queries

_DEPTH = 100


def evaluate(
    data: TrainingData,
    stages: TrainedStages,
    final: FinalOrder,
    config: EvaluationConfig,
    pushed: np.ndarray | None = None,
    comparisons: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Measures both stages on the test split.

    Args:
        data: all three splits.
        stages: the models to evaluate.
        final: how the final lists are ordered.
        config: baselines and groups.
        pushed: [users, depth] lists of the currently pushed version, for the same users.
        comparisons: further lists for the same users, by name.

    Returns:
        `retrieval` {metrics, users, baselines} and `ranking` {order, metrics of the final lists as
        served, `reranked`: metrics in ranking's order, `labels`: errors per label}. Both have
        `intervals`, `slices`, and `against`: differences from the baselines (and of the final lists
        from retrieval and the pushed version) with a verdict, and `slice_differences`: those from
        the baselines (and from retrieval) in slices of users. `fairness`: the declared groups on
        the final lists. `pushed`: metrics of the pushed version's lists, if given; `beside`:
        metrics of the comparisons by name. `diversity`: see `measure_diversity_curve`.

    Raises:
        DataRefused: test has no evaluation query.
    """
    queries = build_queries(data.test, data.moment(data.test), data.repeats)
    require_queries(queries, "test", data)
    clock = data.clock(data.train, data.valid)
    at_test = stages.item_vectors_at_test()
    retrieved, reranked = _rank_both_stages(queries, stages, at_test)
    history = gather_query_history(queries, stages.retrieval_config.history_length)
    served = ServedCandidates(reranked if final.stage == RANKING else retrieved, history)
    evaluator = build_list_evaluator(
        queries, clock, at_test[:, :-1], data, data.propensities(data.train, data.valid)
    )
    evaluated = evaluate_stages(
        evaluator,
        StageLists(
            retrieval=retrieved.items,
            reranked=reranked.items,
            served=final.apply(served, final.diversity, _DEPTH),
            order=final.stage,
            baselines=_rank_all_baselines(data, clock, queries, config),
            pushed=pushed,
            comparisons=comparisons or {},
        ),
    )
    metrics = evaluated.as_json()
    metrics["ranking"]["labels"] = measure_label_errors(
        data, stages.query, stages.ranking, at_test, stages.retrieval_config
    )
    return metrics | {
        "fairness": measure_fairness(config.fairness, evaluated.served, data),
        "diversity": measure_diversity_curve(evaluator, served, final, config.fairness, data),
    }


def _rank_all_baselines(
    data: TrainingData, clock: PopularityClock, queries: EvaluationQueries, config: EvaluationConfig
) -> dict[str, np.ndarray]:
    """Lists [users, depth] of the baselines of every run, and of those on request."""
    recent_days = config.recent_days if data.has_times else None
    users = find_users(queries.timelines.user_ids[queries.row], [data.train, data.valid])
    return rank_baselines(clock, queries, recent_days, _DEPTH) | rank_peers(
        config.peers, clock, queries, users, recent_days, _DEPTH
    )


def _rank_both_stages(
    queries: EvaluationQueries, stages: TrainedStages, at_test: np.ndarray
) -> tuple[ScoredLists, ScoredLists]:
    """Lists [users, depth] in retrieval's order, and in ranking's."""
    length = stages.retrieval_config.history_length
    candidates = stages.ranking_config.candidates
    vectors = encode_queries(stages.query.positions, queries, length)
    depth = max(_DEPTH, candidates)
    retrieved = rank_nearest(vectors, at_test, queries.interacted, depth, queries.repeats)
    ranker = Ranker(create_scorer(stages.ranking), candidates, length)
    return (
        score_retrieved(retrieved, vectors, at_test, candidates),
        rerank(retrieved, vectors, queries, at_test[:, -1], ranker),
    )
