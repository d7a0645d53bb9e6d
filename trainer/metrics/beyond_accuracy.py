"""Properties of lists other than accuracy: coverage, novelty, diversity, concentration.

`lists` [users, >= k] are item indices, best first; index 0 is an empty position and is ignored.
Each metric covers the first k positions, pooled over all users unless documented otherwise. At
least one list must contain an item.
"""

import dataclasses

import numpy as np

from trainer.metrics import confidence
from trainer.metrics.top_k import iterate_blocks

_CUTOFF = 10
_HEAD_SHARE = 0.01


@dataclasses.dataclass(frozen=True)
class ItemStatistics:
    """Statistics of the catalogue's n items at the time of the lists; row 0 is no item."""

    events: np.ndarray
    """[n + 1] events of each item."""
    user_counts: np.ndarray
    """[n + 1] users who interacted with each item."""
    users: int
    """Users with any interaction."""
    vectors: np.ndarray
    """[n + 1, dim] the items' vectors, of any length."""

    @property
    def catalogue(self) -> int:
        """Number of items, including those without interactions."""
        return len(self.events) - 1


def compute_beyond_accuracy(
    lists: np.ndarray, known: ItemStatistics, k: int = _CUTOFF
) -> dict[str, float]:
    """All metrics of this module by name, with `@k`; no diversity where no list has two items."""
    diverse = compute_diversity(lists, k, known.vectors)
    return {
        f"coverage@{k}": compute_coverage(lists, k, known.catalogue),
        f"novelty@{k}": compute_novelty(lists, k, known.user_counts, known.users),
        f"head_share@{k}": compute_head_share(lists, k, find_head_items(known.events)),
        f"gini@{k}": compute_gini(lists, k, known.catalogue),
    } | ({} if diverse is None else {f"diversity@{k}": diverse})


def compute_beyond_accuracy_intervals(
    lists: np.ndarray, known: ItemStatistics, seed: int, k: int = _CUTOFF
) -> dict[str, confidence.Interval]:
    """95 % intervals of the metrics that are means: novelty, head share and diversity.

    Coverage and Gini have no bootstrap interval: a user drawn twice adds no new item.

    Args:
        lists: [users, >= k] item indices, best first.
        known: statistics of the items.
        seed: seed of the resampling.
        k: cutoff.
    """
    shown = lists[:, :k] > 0
    some = shown.any(axis=1)
    head = lists[some, :k]
    by_position = {
        f"novelty@{k}": _compute_information(known.user_counts, known.users)[head],
        f"head_share@{k}": np.isin(head, find_head_items(known.events)),
    }
    sums = {name: (values * shown[some]).sum(axis=1) for name, values in by_position.items()}
    intervals = confidence.compute_ratio_intervals(sums, shown[some].sum(axis=1), seed)
    diverse = _compute_list_diversities(lists, k, known.vectors)
    if not len(diverse):
        return intervals
    return intervals | confidence.compute_mean_intervals({f"diversity@{k}": diverse}, seed)


def compute_coverage(lists: np.ndarray, k: int, catalogue: int) -> float:
    """Share of the catalogue's items that appear in at least one list (Herlocker et al., Evaluating
    collaborative filtering recommender systems, TOIS 2004: catalogue coverage).
    """
    return np.count_nonzero(np.unique(lists[:, :k])) / catalogue


def compute_novelty(lists: np.ndarray, k: int, user_counts: np.ndarray, users: int) -> float:
    """Mean self-information of the recommended items, in bits: -log2 of the share of users who
    interacted with the item.

    Zhou et al., Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS 2010.
    It would be infinite for an item without interactions, so both counts are increased by one:
    log2((users + 1) / (interacted + 1)). 0 means that every user interacted with the item.

    Args:
        lists: [users, >= k] item indices, best first.
        k: cutoff.
        user_counts: [n + 1] users who interacted with each item.
        users: users with any interaction.
    """
    return float(_compute_information(user_counts, users)[_collect_shown(lists, k)].mean())


def _compute_information(user_counts: np.ndarray, users: int) -> np.ndarray:
    """[n + 1] self-information of each item."""
    return np.log2((users + 1) / (user_counts + 1))


def compute_diversity(lists: np.ndarray, k: int, vectors: np.ndarray) -> float | None:
    """Mean over users of the mean of 1 - cosine over all pairs of a list's items: 0 for parallel
    vectors, 1 for orthogonal ones, at most 2.

    Ziegler et al., Improving recommendation lists through topic diversification, WWW 2005
    (intra-list similarity); Vargas and Castells, Rank and relevance in novelty and diversity
    metrics, RecSys 2011 (its complement). The cosine with a zero vector is 0. A list of fewer than
    two items has no pair and is excluded; None if all are. The vectors belong to one model, so
    values can be compared within a run but not between runs.
    """
    each = _compute_list_diversities(lists, k, vectors)
    return float(each.mean()) if len(each) else None


def _compute_list_diversities(lists: np.ndarray, k: int, vectors: np.ndarray) -> np.ndarray:
    """Diversity of each list that has a pair, in the users' order."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors, float), where=lengths > 0)
    units[0] = 0
    parts = [_sum_pairs(lists[part, :k], units) for part in iterate_blocks(len(lists))]
    cosines, pairs = (np.concatenate(column) for column in zip(*parts, strict=True))
    some = pairs > 0
    return 1 - cosines[some] / pairs[some]


def _sum_pairs(lists: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[b] sum of the cosines of a list's pairs, [b] number of pairs.

    The squared norm of the sum of the vectors is the sum of their squared norms plus twice the sum
    over pairs.
    """
    chosen = units[lists]
    squares = (chosen**2).sum(axis=(1, 2))
    items = np.count_nonzero(lists, axis=1)
    return ((chosen.sum(axis=1) ** 2).sum(axis=1) - squares) / 2, items * (items - 1) // 2


def find_head_items(events: np.ndarray, share: float = _HEAD_SHARE) -> np.ndarray:
    """Indices of the `share` of the catalogue with the most `events` [n + 1]: at least one item;
    the lower index wins ties.
    """
    count = max(1, int((len(events) - 1) * share))
    return 1 + np.argsort(-events[1:], kind="stable")[:count]


def compute_head_share(lists: np.ndarray, k: int, head: np.ndarray) -> float:
    """Share of the recommended items that are `head` items."""
    return float(np.isin(_collect_shown(lists, k), head).mean())


def compute_gini(lists: np.ndarray, k: int, catalogue: int) -> float:
    """Gini coefficient of how often each item is recommended: 0 when all are recommended equally
    often, 1 - 1 / n when one of n fills all positions.

    With the items' counts x ascending: sum((2 i - n - 1) x_i) / (n sum(x)), i = 1 … n (Fleder and
    Hosanagar, Blockbuster culture's next rise or fall, Management Science 2009). Items that are
    never recommended count too.
    """
    counts = np.sort(np.bincount(_collect_shown(lists, k), minlength=catalogue + 1)[1:])
    rank = np.arange(1, catalogue + 1)
    return float(((2 * rank - catalogue - 1) @ counts) / (catalogue * counts.sum()))


def _collect_shown(lists: np.ndarray, k: int) -> np.ndarray:
    """[positions] items in the first k positions of all lists."""
    head = lists[:, :k]
    return head[head > 0]
