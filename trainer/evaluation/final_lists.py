"""The final lists of evaluation queries: the candidates in the served order, diversified and
calibrated by the function that the served graph calls.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from trainer.metrics.top_k import iterate_blocks
from trainer.ranking.rerank import ScoredLists

Reorder = Callable[[np.ndarray, np.ndarray, np.ndarray, float, int], np.ndarray]
"""`serving.graph.list_order.create_array_order`: items [b, c], best first, scores [b, c], history
[b, h], diversity and the number of items to select -> order [b, c].
"""


@dataclasses.dataclass(frozen=True)
class ServedCandidates:
    """The candidates of `q` evaluation queries in the served order."""

    lists: ScoredLists
    history: np.ndarray
    """[q, h] the latest items of the histories, padded with 0."""

    def select(self, chosen: np.ndarray) -> "ServedCandidates":
        """Those of the queries at these positions."""
        lists = ScoredLists(*(values[chosen] for values in self.lists))
        return ServedCandidates(lists, self.history[chosen])


@dataclasses.dataclass(frozen=True)
class FinalOrder:
    """How final lists are ordered."""

    stage: str
    """Whose order is served, `ranking` or `retrieval`."""
    diversity: float
    """0 to 1."""
    reorder: Reorder

    def apply(self, candidates: ServedCandidates, diversity: float, length: int) -> np.ndarray:
        """[q, k] the final lists: the scored items in their final order, then the others.

        Args:
            candidates: candidates in the served order.
            diversity: 0 to 1.
            length: number of items to select.
        """
        items, scores = candidates.lists
        result = items.copy()
        head = result[:, : scores.shape[1]]
        for part in iterate_blocks(len(head)):
            history = candidates.history[part]
            order = self.reorder(head[part], scores[part], history, diversity, length)
            head[part] = np.take_along_axis(head[part], order, axis=1)
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
