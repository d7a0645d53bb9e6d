"""Metrics of parts of what was asked: of some users, or of some answers.

A part without rows, or with too few users to go by, says so in `note`; its counts are always there.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.metrics import confidence
from trainer.paired_difference import FEWEST_USERS
from trainer.taken_answers import TakenAnswers

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Slice:
    """Some rows, of users or of answers. Slices of one kind may overlap."""

    name: str
    chosen: np.ndarray
    """[rows] bool."""


def of_users(columns: Mapping[str, np.ndarray], parts: list[Slice], seed: int) -> dict[str, Row]:
    """Per slice `users` and, of each of the `columns` [users], value, low and high over its
    users.
    """
    found: dict[str, Row] = {}
    for part in parts:
        users = int(np.count_nonzero(part.chosen))
        row: Row = {"users": users} | note(users)
        if users:
            chosen = {name: values[part.chosen] for name, values in columns.items()}
            row |= as_json(confidence.means(chosen, seed))
        found[part.name] = row
    return found


def of_answers(
    answers: TakenAnswers,
    ranks: np.ndarray,
    parts: list[Slice],
    cutoffs: tuple[int, ...],
    seed: int,
) -> dict[str, Row]:
    """Per slice `users`, `answers` and `recall@k` of each cutoff: the share of the slice's answers
    whose rank is 1 to k.

    All answers count alike, whosever they are (a user's other answers have no part in it); the
    interval draws users. `ranks` [a] are `answers.ranks(lists)`.
    """
    found: dict[str, Row] = {}
    for part in parts:
        count = _per_user(answers, part.chosen)
        users = np.flatnonzero(count)
        row: Row = {"users": len(users), "answers": int(count.sum())} | note(len(users))
        if len(users):
            columns = {
                f"recall@{k}": _per_user(answers, part.chosen & (ranks > 0) & (ranks <= k))[users]
                for k in cutoffs
            }
            row |= as_json(confidence.ratios(columns, count[users], seed))
        found[part.name] = row
    return found


def note(users: int) -> Row:
    """What there is to say of a number of users: nothing where it is enough for a verdict."""
    if not users:
        return {"note": "no test user is in this slice"}
    if users < FEWEST_USERS:
        return {"note": f"too few users for a verdict: expected {FEWEST_USERS}, received {users}"}
    return {}


def as_json(intervals: Mapping[str, confidence.Interval]) -> Row:
    """Each as {value, low, high}."""
    return {name: dataclasses.asdict(interval) for name, interval in intervals.items()}


def _per_user(answers: TakenAnswers, chosen: np.ndarray) -> np.ndarray:
    return np.bincount(answers.user[chosen], minlength=answers.users)
