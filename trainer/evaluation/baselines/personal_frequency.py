"""The baseline `personal_frequency`: the user's own items, then popular ones.

GP-TopFreq in Li et al., A next basket recommendation reality check, TOIS 2023: strong where items
are consumed repeatedly, and useless where lists must not hold items of the history.
"""

import numpy as np

from trainer.data.evaluation_queries import EvaluationQueries
from trainer.metrics.top_k import iterate_blocks, select_top_k


def rank_by_personal_frequency(
    queries: EvaluationQueries, counts: np.ndarray, k: int
) -> np.ndarray:
    """[q, min(k, n)] indices of the items that `queries.repeats` allows, best first.

    Items with positive events in the user's history are ordered by the number of these events, then
    by the latest of them. All others follow, ordered by `counts`.

    Args:
        queries: the evaluation queries.
        counts: [n] events of each item.
        k: length of the lists.
    """
    popular = counts / (counts.max(initial=0) + 1)  # below 1, the frequency of one event
    lists = np.zeros((len(queries), min(k, len(counts))), np.int32)
    for part in iterate_blocks(len(queries)):
        scores = np.tile(popular, (len(queries.row[part]), 1))
        for row, timeline in zip(scores, queries.row[part], strict=True):
            items, frequency = _measure_frequency(queries, timeline)
            row[items] = frequency
        lists[part] = select_top_k(scores, queries.interacted[part], k, queries.repeats)
    return lists


def _measure_frequency(queries: EvaluationQueries, timeline: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct items of the positive events before the query, and the number of events of each,
    plus a fraction that is larger the later the last of them was.
    """
    split = queries.timelines
    begin = split.row_splits[timeline]
    history = slice(begin, begin + split.target_from[timeline])
    items = split.item_index[history][split.positive[history]][::-1]
    distinct, first, events = np.unique(items, return_index=True, return_counts=True)
    return distinct, events + (1 - (first + 1) / (len(items) + 1))
