"""The baselines of every run: popularity of all time, recent popularity, item neighbours, item
transitions and, where items of the history may be recommended, the user's own items.
"""

import numpy as np

from trainer.config.blessing import PERSONAL, RECENT
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.item_transitions import build_transitions
from trainer.data.popularity import PopularityClock
from trainer.evaluation.baselines.interactions import build_interaction_matrix
from trainer.evaluation.baselines.neighbours import (
    LATEST_ITEMS,
    compute_similarities,
    rank_by_neighbours,
)
from trainer.evaluation.baselines.personal_frequency import rank_by_personal_frequency
from trainer.evaluation.baselines.transitions import rank_by_transitions
from trainer.metrics.top_k import rank_popular


def rank_baselines(
    clock: PopularityClock, queries: EvaluationQueries, recent_days: float | None, k: int
) -> dict[str, np.ndarray]:
    """The lists of each baseline, from events before the moment of the queries only.

    Args:
        clock: popularity over the events that may be known.
        queries: the evaluation queries.
        recent_days: window of the `recent` baseline; None for events without times, which have no
            such baseline.
        k: length of the lists.

    Returns:
        Name -> [q, min(k, n)] indices of items that `queries.repeats` allows, best first: `popular`
        counts events of all time, `recent` those of the last `recent_days`, `item_neighbours` uses
        co-occurrences among each user's latest items, `item_transitions` their order, and
        `personal_frequency`, which is missing where items of the history are excluded, counts the
        user's own events.
    """
    repeats = queries.repeats
    counts = clock.counts(queries.now)
    interactions = build_interaction_matrix(clock, queries.now, LATEST_ITEMS)
    similar = compute_similarities(interactions)
    lists = {"popular": rank_popular(counts, queries.interacted, k, repeats)}
    newest = counts
    if recent_days is not None:
        newest = clock.counts(queries.now, recent_days)
        lists[RECENT] = rank_popular(newest, queries.interacted, k, repeats)
    neighbours = rank_by_neighbours(queries.interacted, similar, counts, k, repeats)
    lists["item_neighbours"] = neighbours
    transitions = build_transitions(clock, queries.now)
    lists["item_transitions"] = rank_by_transitions(queries, transitions, newest, k)
    if repeats != "exclude":
        lists[PERSONAL] = rank_by_personal_frequency(queries, counts, k)
    return lists
