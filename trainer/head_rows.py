"""What one head of the ranking model said, row by row, beside what was true."""

import dataclasses
from collections.abc import Iterator
from typing import Literal

import numpy as np

from trainer.evaluation.slice_metrics import Slice

Slices = dict[str, list[Slice]]
"""By what rows are told apart: slices of them."""


@dataclasses.dataclass(frozen=True)
class Asked:
    """To which question each row belongs, where rows are candidates of questions."""

    question: np.ndarray
    """[r] from 0, ascending; every question has at least one row."""
    slices: Slices
    """Of the questions, not of the rows."""


@dataclasses.dataclass(frozen=True)
class HeadRows:
    """`r` rows of one head, at least one."""

    kind: Literal["relevance", "binary", "regression"]
    label: np.ndarray
    """[r]: 0 or 1, or in the label's own unit for regression; no NaN."""
    prediction: np.ndarray
    """[r]: a probability, or in the label's own unit."""
    slices: Slices
    """Of the rows; a slice without rows is none of TFMA's."""
    asked: Asked | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.label)


SliceKey = tuple[tuple[str, str], ...]
"""TFMA's name of a slice: () is everything, (("user_region", "north"),) one value of a column."""


def parts(slices: Slices, rows: int) -> Iterator[tuple[SliceKey, np.ndarray]]:
    """Each slice that has rows, everything first, with [rows] bool that says which are in it."""
    yield (), np.ones(rows, bool)
    for feature, found in slices.items():
        for part in found:
            if part.chosen.any():
                yield ((feature, part.name),), part.chosen
