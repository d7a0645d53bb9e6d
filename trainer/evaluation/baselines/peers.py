"""The baselines `als` and `bpr`: matrix factorisation by the package implicit, on request.

ALS: Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets, ICDM 2008.
BPR: Rendle et al., BPR: Bayesian personalized ranking from implicit feedback, UAI 2009.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from trainer.config.peers import Peer, require_package
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import PopularityClock
from trainer.evaluation.baselines.interactions import build_interaction_matrix
from trainer.metrics.top_k import rank_nearest, rank_popular

_SEED = 1


class Factors(NamedTuple):
    """Vectors whose dot product is the score; those of users and items without events are 0."""

    users: np.ndarray
    """[users, dim]."""
    items: np.ndarray
    """[n, dim]."""


def rank_peers(
    peers: Sequence[Peer],
    clock: PopularityClock,
    queries: EvaluationQueries,
    users: np.ndarray,
    recent_days: float | None,
    k: int,
) -> dict[str, np.ndarray]:
    """The lists of each peer, which learns from positive events before the queries only.

    A user without such events gets the items with the most events in the last `recent_days`.

    Args:
        peers: names of the baselines.
        clock: popularity over the events that may be known.
        queries: the evaluation queries.
        users: [q] number of each query's user in the clock, -1 for none.
        recent_days: None for events without times: the most events of all time.
        k: length of the lists.

    Returns:
        Name -> [q, min(k, n)] indices of items that `queries.repeats` allows, best first.

    Raises:
        UsageError: there are peers, and the package that learns them is not installed.
    """
    require_package(peers)
    if not peers:
        return {}
    interactions = build_interaction_matrix(clock, queries.now)
    counts = clock.counts(queries.now, recent_days)
    popular = rank_popular(counts, queries.interacted, k, queries.repeats)
    active = _find_active(users, interactions)
    lists = {}
    for peer in peers:
        factors = learn_factors(peer, interactions)
        vectors = factors.users[users[active]]
        interacted = queries.select(active).interacted
        lists[peer] = popular.copy()
        lists[peer][active] = rank_nearest(vectors, factors.items, interacted, k, queries.repeats)
    return lists


def _find_active(users: np.ndarray, interactions: sparse.csr_matrix) -> np.ndarray:
    """Positions in `users`, which are rows of `interactions`, of those with an interaction. Users
    that have no row have none.
    """
    counts = np.append(np.diff(interactions.indptr), 0)
    row = np.where(users < interactions.shape[0], users, -1)
    return np.flatnonzero(counts[row])


def learn_factors(peer: Peer, interactions: sparse.csr_matrix) -> Factors:
    """Factors of `interactions` [users, n] of 0 and 1; equal interactions give equal factors, on
    the same machine.

    One thread only: implicit's BPR updates shared factors from all of its threads, in any order.
    """
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        model = (
            AlternatingLeastSquares(
                factors=128, regularization=100.0, alpha=40.0, iterations=15,
                num_threads=1, random_state=_SEED,
            )
            if peer == "als"
            else BayesianPersonalizedRanking(
                factors=64, learning_rate=0.01, regularization=0.01, iterations=100,
                num_threads=1, random_state=_SEED,
            )
        )  # fmt: skip
        model.fit(interactions, show_progress=False)
    return Factors(model.user_factors, model.item_factors)
