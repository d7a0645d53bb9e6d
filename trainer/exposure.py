"""Do groups of items get the attention that their users would give them?

Singh and Joachims, Fairness of exposure in rankings, KDD 2018: exposure in proportion to relevance.
What a place gets of a user's attention falls as in DCG, with 1 / log2(rank + 1).
"""

import numpy as np

from trainer import confidence, slices
from trainer.slices import Row, Slice


def measure(
    lists: np.ndarray, answers: list[np.ndarray], groups: list[Slice], k: int, seed: int
) -> Row:
    """`groups`: of each group of items its share of `exposure` in the first k places, its share of
    `relevance` and their `difference`, with intervals; `gap`: the greatest difference either way.

    A group's `chosen` is [n + 1] over item indices. Every user counts as one: his list's exposure
    adds up to 1, his answers' relevance too, and the interval draws users. Groups may overlap.
    A group with neither exposure nor relevance says so in `note`; a user with an empty list gives
    no exposure to anybody.
    """
    enough = slices.note(len(lists))
    found = {group.name: _group(lists, answers, group.chosen, k, seed) for group in groups}
    gaps = {name: abs(row["difference"]["value"]) for name, row in found.items()}
    if not gaps:
        return {"groups": found, "note": "no gap: no group of items is declared"}
    widest = max(gaps, key=lambda name: gaps[name])
    return {"groups": found, "widest": widest, "gap": gaps[widest]} | enough


def shares(lists: np.ndarray, member: np.ndarray, k: int) -> np.ndarray:
    """[users] share of a list's exposure that goes to items of `member` [n + 1] bool."""
    head = lists[:, :k]
    weight = np.where(head > 0, 1 / np.log2(np.arange(2, head.shape[1] + 2)), 0.0)
    total = weight.sum(axis=1)
    gained = (weight * member[head]).sum(axis=1)
    return np.divide(gained, total, out=np.zeros(len(lists)), where=total > 0)


def _group(
    lists: np.ndarray, answers: list[np.ndarray], member: np.ndarray, k: int, seed: int
) -> Row:
    exposed = shares(lists, member, k)
    relevant = np.array([member[items].mean() for items in answers])
    columns = {"exposure": exposed, "relevance": relevant, "difference": exposed - relevant}
    none = not (exposed.any() or relevant.any())
    said = {"note": "no list and no answer holds an item of this group"} if none else {}
    return slices.as_json(confidence.means(columns, seed)) | said
