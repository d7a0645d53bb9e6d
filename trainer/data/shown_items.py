"""Items of impressions that were not clicked, the first negatives of ranking."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class ShownItems:
    """Items that were shown with `e` events and not clicked; event i has
    items[row_splits[i]:row_splits[i + 1]].
    """

    items: np.ndarray
    """[s] int32, 0 for an item outside the catalogue."""
    row_splits: np.ndarray
    """[e + 1] int64."""

    def pad(self, events: np.ndarray, least: int) -> np.ndarray:
        """[m] positions of events -> [m, `least` or more] int32 items, padded with 0."""
        start, stop = self.row_splits[events], self.row_splits[events + 1]
        where = start[:, None] + np.arange(int((stop - start).max(initial=least)))
        inside = where < stop[:, None]
        padded = np.zeros(where.shape, np.int32)
        padded[inside] = self.items[where[inside]]
        return padded
