"""What people would use instead: two counters, and what goes with what."""

import numpy as np

from trainer import interaction_matrix, item_neighbours
from trainer.data.evaluation_queries import Questions
from trainer.data.popularity import PopularityClock
from trainer.metrics import top_k as ranked_lists


def lists(
    clock: PopularityClock, asked: Questions, recent_days: float, k: int
) -> dict[str, np.ndarray]:
    """Name -> [q, min(k, n)] indices of unseen items, best first.

    `popular` counts events of all time, `recent` those of the last `recent_days`, `item_neighbours`
    goes by what the same users took, of each the latest items. None of them looks past the moment
    of the questions.
    """
    counts = clock.counts(asked.now)
    taken = interaction_matrix.taken_before(clock, asked.now, item_neighbours.LATEST_ITEMS)
    similar = item_neighbours.similarities(taken)
    return {
        "popular": ranked_lists.popular(counts, asked.seen, k),
        "recent": ranked_lists.popular(clock.counts(asked.now, recent_days), asked.seen, k),
        "item_neighbours": item_neighbours.lists(asked.seen, similar, counts, k),
    }
