"""The final lists of evaluation queries: the candidates in the served order, diversified by the
function that the served graph calls.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from trainer.metrics.top_k import iterate_blocks
from trainer.ranking.rerank import ScoredLists

Reorder = Callable[[np.ndarray, np.ndarray, np.ndarray, float, int], np.ndarray]
"""`serving.graph.diversity.reorder`: relevance [b, c], best first, vectors [b, c, dim], eligible
[b, c] bool, diversity and the number of items to select -> order [b, c].
"""


@dataclasses.dataclass(frozen=True)
class FinalOrder:
    """How final lists are ordered."""

    stage: str
    """Whose order is served, `ranking` or `retrieval`."""
    diversity: float
    """0 to 1."""
    reorder: Reorder

    def apply(
        self, lists: ScoredLists, vectors: np.ndarray, diversity: float, length: int
    ) -> np.ndarray:
        """[q, k] the lists with their scored items diversified.

        Args:
            lists: candidates in the served order.
            vectors: [n + 1, dim] item vectors.
            diversity: 0 to 1; 0 changes nothing.
            length: number of items to select.
        """
        if not diversity:
            return lists.items
        result = lists.items.copy()
        head = result[:, : lists.scores.shape[1]]
        for part in iterate_blocks(len(head)):
            items, chosen = head[part], vectors[head[part]]
            order = self.reorder(lists.scores[part], chosen, items > 0, diversity, length)
            head[part] = np.take_along_axis(items, order, axis=1)
        return result


def score_retrieved(
    lists: np.ndarray, query_vectors: np.ndarray, vectors: np.ndarray, candidates: int
) -> ScoredLists:
    """Retrieval's lists with the scores of their first items.

    Args:
        lists: [q, k] item indices, best first.
        query_vectors: [q, dim + 1].
        vectors: [n + 1, dim + 1] item vectors with their log popularity.
        candidates: number of items that are scored.
    """
    head = lists[:, :candidates]
    scores = [
        np.einsum("qd,qcd->qc", query_vectors[part], vectors[head[part]])
        for part in iterate_blocks(len(head))
    ]
    return ScoredLists(lists, np.concatenate(scores))
