"""Do groups of items get the attention that their users would give them?

Singh and Joachims, Fairness of exposure in rankings, KDD 2018: exposure in proportion to relevance.
What a place gets of a user's attention falls as in DCG, with 1 / log2(rank + 1).
"""

import numpy as np

from trainer.evaluation import slice_metrics as slices
from trainer.evaluation.slice_metrics import Row, Slice
from trainer.metrics import confidence
from trainer.paired_difference import FEWEST_USERS

_SHARES = ("exposure", "relevance", "difference")


def measure(
    lists: np.ndarray, answers: list[np.ndarray], groups: list[Slice], k: int, seed: int
) -> Row:
    """`groups`: of each group of items its share of `exposure` in the first k places, its share of
    `relevance` and their `difference`, with intervals; `gap`: the greatest difference either way.

    A group's `chosen` is [n + 1] over item indices. Every user counts as one: his list's exposure
    adds up to 1, his answers' relevance too, and the interval draws users. Groups may overlap.
    A group with neither exposure nor relevance says so in `note`; a user with an empty list gives
    no exposure to anybody. Of too few users, or with fewer than two groups that occur, there is no
    gap, and `note` says so in its place.
    """
    found = _groups(lists, answers, groups, k, seed)
    present = [name for name, row in found.items() if "note" not in row]
    if len(lists) < FEWEST_USERS:
        return {"groups": found} | slices.note(len(lists))
    if len(present) < 2:
        note = f"no gap: expected two groups of items in lists and answers, received {len(present)}"
        return {"groups": found, "note": note}
    widest = max(present, key=lambda name: _size(found[name]))
    return {"groups": found, "widest": widest, "gap": _size(found[widest])}


def shares(lists: np.ndarray, member: np.ndarray, k: int) -> np.ndarray:
    """[users] share of a list's exposure that goes to items of `member` [n + 1] bool."""
    head = lists[:, :k]
    weight = np.where(head > 0, 1 / np.log2(np.arange(2, head.shape[1] + 2)), 0.0)
    total = weight.sum(axis=1)
    gained = (weight * member[head]).sum(axis=1)
    return np.divide(gained, total, out=np.zeros(len(lists)), where=total > 0)


def _size(group: Row) -> float:
    return abs(group["difference"]["value"])


def _groups(
    lists: np.ndarray, answers: list[np.ndarray], groups: list[Slice], k: int, seed: int
) -> dict[str, Row]:
    """All groups' rows; users are drawn once for all of them."""
    columns: dict[str, np.ndarray] = {}
    for place, group in enumerate(groups):
        exposed = shares(lists, group.chosen, k)
        relevant = _relevance(answers, group.chosen)
        for name, values in zip(_SHARES, (exposed, relevant, exposed - relevant), strict=True):
            columns[f"{place} {name}"] = values
    intervals = slices.as_json(confidence.means(columns, seed)) if columns else {}
    return {
        group.name: _row({name: intervals[f"{place} {name}"] for name in _SHARES})
        for place, group in enumerate(groups)
    }


def _relevance(answers: list[np.ndarray], member: np.ndarray) -> np.ndarray:
    """[users] share of a user's answers, one at least, that are items of `member` [n + 1] bool."""
    count = np.array([len(items) for items in answers])
    hit = member[np.concatenate(answers)].astype(float)
    return np.add.reduceat(hit, np.cumsum(count) - count) / count


def _row(measured: Row) -> Row:
    if measured["exposure"]["value"] or measured["relevance"]["value"]:
        return measured
    return measured | {"note": "no list and no answer holds an item of this group"}
