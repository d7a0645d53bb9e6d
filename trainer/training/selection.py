"""Which epoch's weights a training run keeps, and when it stops."""

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np


def _have_no_queries() -> np.ndarray:
    return np.zeros(0)


@dataclasses.dataclass(frozen=True)
class EpochSelection:
    """An epoch replaces the selected one if it is better by more than one standard error of the
    difference, which is paired over queries: later epochs fit the training events ever closer, so
    a gain that may be luck is not worth them.

    The one-standard-error rule of Breiman, Friedman, Olshen and Stone, Classification and
    Regression Trees, 1984, 3.4.3, applied epoch by epoch.
    """

    monitor: str
    """The metric that selects the epoch."""
    mode: Literal["max", "min"]
    """Whether the greatest or the least value of `monitor` is best."""
    patience: int
    """Epochs without a better one before training stops."""
    by_query: Callable[[], np.ndarray] = _have_no_queries
    """[queries] whose mean is `monitor` after the last epoch; empty if the error is unknown, and
    any better value is a better epoch."""

    def is_better(
        self, value: float, selected: float, queries: np.ndarray, selected_queries: np.ndarray
    ) -> bool:
        """Whether an epoch replaces the selected one.

        Args:
            value: `monitor` of the epoch.
            selected: `monitor` of the selected epoch.
            queries: [queries] `by_query` of the epoch.
            selected_queries: [queries] `by_query` of the selected epoch.
        """
        gain = value - selected if self.mode == "max" else selected - value
        return gain > _compute_standard_error(queries - selected_queries)


def _compute_standard_error(differences: np.ndarray) -> float:
    """Of the mean of the differences; 0 of less than two."""
    if len(differences) < 2:
        return 0.0
    return float(differences.std(ddof=1) / np.sqrt(len(differences)))
