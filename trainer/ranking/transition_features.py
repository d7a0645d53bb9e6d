"""Scalar features of a candidate and the history: transitions from the latest items."""

from typing import Any

import numpy as np
import tensorflow as tf

from trainer.data.item_transitions import RECENCY_DECAY
from trainer.data.transition_table import TransitionTable
from trainer.ranking.history_features import RECENT_ITEMS, select_latest_known

_SCALE = 100.0
_IS_NEWER = np.tri(RECENT_ITEMS, k=-1, dtype=bool)


class TransitionScores(tf.keras.layers.Layer):
    """History [b, n] and candidates [b, c] as item indices -> [b, c, 2]: log(1 + 100 × score) of
    the candidate after the latest five known items, and after the latest alone. The score is that
    of `trainer.data.item_transitions`, which has the sources, without its second hop.

    An item that is repeated among the five counts once, as the newest. A candidate without
    transition from them, a candidate 0 and a history without known items have score 0. An item
    beyond the table, which was added after training, has no transitions.
    """

    def __init__(self, table: TransitionTable, **kwargs: Any):
        super().__init__(trainable=False, **kwargs)
        self._items = tf.Variable(table.items, trainable=False, name="transitions")
        self._strengths = tf.Variable(table.strengths, trainable=False, name="transition_strengths")

    def replace(self, table: TransitionTable) -> None:
        """Replaces the table by another of the same shape."""
        self._items.assign(table.items)
        self._strengths.assign(table.strengths)

    def call(self, history: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """See the class."""
        recent = select_latest_known(history)
        strengths = self._look_up(recent, candidates)
        total = tf.einsum("br,brc->bc", weigh_recent(recent), strengths)
        return tf.math.log1p(_SCALE * tf.stack([total, strengths[:, 0]], axis=-1))

    def _look_up(self, recent: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """[b, 5, c] strength of the transition from each recent item to each candidate, by binary
        search in the table's rows; 0 if there is none.
        """
        rows, width = self._items.shape
        source = tf.where(recent < rows, recent, 0)
        items = tf.gather(self._items, source)
        wanted = tf.repeat(candidates[:, tf.newaxis], RECENT_ITEMS, axis=1)
        position = tf.minimum(tf.searchsorted(items, wanted), width - 1)
        found = tf.gather(items, position, batch_dims=2) == wanted
        strengths = tf.gather(tf.gather(self._strengths, source), position, batch_dims=2)
        return tf.where(found, strengths, 0.0)


def weigh_recent(recent: tf.Tensor) -> tf.Tensor:
    """[b, 5] latest items, newest first, padded with 0 -> [b, 5] float32 weights: 1 for the newest,
    and `RECENCY_DECAY` of the weight before for each further distinct item; 0 for 0 and for an
    item that is also newer.
    """
    same = recent[:, :, tf.newaxis] == recent[:, tf.newaxis, :]
    repeated = tf.reduce_any(tf.logical_and(same, _IS_NEWER), axis=-1)
    distinct = tf.cast(tf.logical_and(recent > 0, tf.logical_not(repeated)), tf.float32)
    return distinct * tf.pow(RECENCY_DECAY, tf.cumsum(distinct, axis=1, exclusive=True))
