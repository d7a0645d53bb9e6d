"""The order of final lists: the served order, changed for diversity and calibration."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from schema.candidates import Candidates
from serving.graph.calibration import CategoryShares
from serving.graph.diversity import Pool, diversify

ReorderArrays = Callable[[np.ndarray, np.ndarray, np.ndarray, float, int], np.ndarray]
"""`ListOrder.reorder` on arrays, with one `diversity` for all rows."""


class ListOrder(tf.Module):
    """Reorders candidates by their vectors, and by their categories if lists are calibrated."""

    def __init__(self, vectors: tf.Variable, candidates: Candidates, calibration: float):
        """Takes the categories from the candidates.

        Args:
            vectors: Item vectors by position [n + 1, dim].
            candidates: Items, with `filters` if `calibration` is above 0.
            calibration: Weight of calibration, 0 to 1.
        """
        super().__init__()
        self._vectors = vectors
        self._calibration = calibration
        self._shares = CategoryShares(candidates.filters) if calibration else None

    @property
    def is_calibrated(self) -> bool:
        """Whether lists depend on the history's categories."""
        return self._shares is not None

    def reorder(
        self,
        positions: tf.Tensor,
        scores: tf.Tensor,
        history: tf.Tensor,
        diversity: tf.Tensor,
        length: tf.Tensor,
    ) -> tf.Tensor:
        """The order of the candidates [b, c] int32, as indices of columns. Without calibration, a
        row with diversity 0 keeps its order, and nothing is computed where all have 0.

        Args:
            positions: Positions of the candidates [b, c], best first; 0 is padding.
            scores: Their scores [b, c].
            history: Positions of the history's items [b, h]; not read without calibration.
            diversity: Of each row [b], 0 to 1.
            length: Number of items to select [].
        """
        pool = Pool(scores, tf.gather(self._vectors, positions), positions > 0)
        if self._shares is not None:
            taste = self._shares.describe(positions, history)
            return diversify(pool, diversity, length, taste, self._calibration)
        unchanged = tf.zeros_like(positions) + tf.range(tf.shape(positions)[1])
        order = tf.cond(
            tf.reduce_any(diversity > 0),
            lambda: diversify(pool, diversity, length),
            lambda: unchanged,
        )
        return tf.where(diversity[:, tf.newaxis] > 0, order, unchanged)


def create_array_order(candidates: Candidates, calibration: float) -> ReorderArrays:
    """`ListOrder.reorder` of the candidates for arrays."""
    vectors = np.pad(candidates.vectors[:, :-1], [(1, 0), (0, 0)])
    order = ListOrder(tf.Variable(vectors, trainable=False), candidates, calibration)
    numbers, count = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([], tf.int32)
    specs = [numbers, tf.TensorSpec([None, None]), numbers, tf.TensorSpec([None]), count]
    traced = tf.function(order.reorder, input_signature=specs, autograph=False)

    def reorder(
        positions: np.ndarray,
        scores: np.ndarray,
        history: np.ndarray,
        diversity: float,
        length: int,
    ) -> np.ndarray:
        return traced(
            positions.astype(np.int32),
            scores.astype(np.float32),
            history.astype(np.int32),
            np.full(len(positions), diversity, np.float32),
            length,
        ).numpy()

    return reorder
