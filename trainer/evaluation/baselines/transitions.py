"""The baseline `item_transitions`: what users consume shortly after or before the latest items."""

import numpy as np

from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.item_transitions import ItemTransitions
from trainer.metrics.top_k import iterate_blocks, scale_below, select_top_k


def rank_by_transitions(
    queries: EvaluationQueries, transitions: ItemTransitions, counts: np.ndarray, k: int
) -> np.ndarray:
    """[q, min(k, n)] indices of the items that `queries.repeats` allows, best first.

    Items are scored as successors of the latest positive events in the user's history (see
    `ItemTransitions.score`). Items of equal score, which are all items for a user without such
    events, are ordered by `counts`, then by index.

    Args:
        queries: the evaluation queries.
        transitions: the graph, from events before the queries' moment only.
        counts: [n] events of each item.
        k: length of the lists.
    """
    latest = [_list_latest(queries, timeline) for timeline in queries.row]
    lists = np.zeros((len(queries), min(k, len(counts))), np.int32)
    for part in iterate_blocks(len(queries)):
        successors = transitions.score(latest[part])
        scores = np.asarray(successors.todense()) + scale_below(counts, successors)
        lists[part] = select_top_k(scores, queries.interacted[part], k, queries.repeats)
    return lists


def _list_latest(queries: EvaluationQueries, timeline: int) -> np.ndarray:
    """Distinct items of the positive events before the query, newest first."""
    split = queries.timelines
    begin = split.row_splits[timeline]
    history = slice(begin, begin + split.target_from[timeline])
    items = split.item_index[history][split.positive[history]][::-1]
    _, first = np.unique(items, return_index=True)
    items = items[np.sort(first)]
    return items[items > 0]
