"""The retrieval model and its loss."""

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.config import RetrievalConfig
from trainer.towers import CandidateTower, QueryTower


class RetrievalModel(tfrs.Model):
    """Sampled softmax over in-batch and uniform negatives with logQ correction.

    Yang et al., Mixed negative sampling for learning two-tower neural networks in recommendations,
    WWW 2020; Yi et al., Sampling-bias-corrected neural modeling, RecSys 2019. Accidental hits
    are removed.
    """

    def __init__(
        self,
        query: QueryTower,
        candidate: CandidateTower,
        frequency: np.ndarray,
        config: RetrievalConfig,
    ):
        """`frequency` [n + 1]: share of each item among the training positives."""
        super().__init__()
        self.query_tower = query
        self.candidate_tower = candidate
        self._frequency = tf.constant(frequency, tf.float32)
        self.catalogue_size = len(frequency) - 1
        self.task = tfrs.tasks.Retrieval(
            temperature=config.temperature, remove_accidental_hits=True, name="retrieval"
        )

    def encode(
        self, batch: dict[str, tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Query vectors [b, t, dim], item vectors [b, t, dim] and vectors of the drawn negatives
        [m, dim].

        Each distinct item of the batch goes through the candidate tower once.
        """
        shape = tf.shape(batch["item_index"])
        indices = tf.concat([tf.reshape(batch["item_index"], [-1]), batch["negatives"]], axis=0)
        distinct, place = tf.unique(indices)
        vectors = tf.gather(self.candidate_tower(distinct, training=training), place)
        positions = shape[0] * shape[1]
        items = tf.reshape(vectors[:positions], [shape[0], shape[1], vectors.shape[-1]])
        return self.query_tower(batch, items, training=training), items, vectors[positions:]

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Mean loss over the batch's positives; 0 for a batch that has none."""
        queries, items, negatives = self.encode(inputs, training)
        target = inputs["target"]
        ids = tf.concat(
            [tf.boolean_mask(inputs["item_index"], target), inputs["negatives"]], axis=0
        )
        positives = tf.boolean_mask(queries, target)
        count = tf.shape(positives)[0]
        loss = self.task(
            positives,
            tf.concat([tf.boolean_mask(items, target), negatives], axis=0),
            candidate_sampling_probability=self._probability(
                ids, count, tf.size(inputs["negatives"])
            ),
            candidate_ids=ids,
            compute_metrics=False,
        )
        return loss / tf.cast(tf.maximum(count, 1), tf.float32)

    def _probability(self, ids: tf.Tensor, in_batch: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """[c] probability that a candidate of the batch, of either sort, is this item."""
        in_batch, uniform = tf.cast(in_batch, tf.float32), tf.cast(uniform, tf.float32)
        taken = tf.gather(self._frequency, ids) * in_batch + uniform / self.catalogue_size
        return taken / tf.maximum(in_batch + uniform, 1.0)
