"""The ranking model: DCN-v2 over query, candidate and what stands between them, one head per
label.
"""

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from schema.labels import RankingLabel
from schema.signatures import RELEVANCE
from trainer.config import RankingConfig

_PROJECTION = 32
_NO_ITEM = -1e9  # a logit whose exponential is 0 and whose product with 0 is still a number


class RankingNetwork(tf.keras.Model):
    """Scores every candidate of every query in one call.

    Cross layers: Wang et al., DCN V2, WWW 2021, low rank. Beside the query's and the candidate's
    vectors
    it sees their product, retrieval's score, present popularity, and id embeddings of its own.
    """

    def __init__(
        self,
        item_vectors: np.ndarray,
        users: int,
        labels: dict[str, RankingLabel],
        scales: dict[str, tuple[float, float]],
        config: RankingConfig,
    ):
        """`item_vectors` [n + 1, dim]; `scales` gives each regression label's mean and
        deviation.
        """
        super().__init__(name="ranking_network")
        self._vectors = tf.Variable(item_vectors, trainable=False, name="item_vectors")
        self._labels = labels
        self.scales = scales
        self._users = tf.keras.layers.Embedding(users + 1, config.id_dim, name="user_id_embedding")
        self._items = tf.keras.layers.Embedding(
            len(item_vectors), config.id_dim, name="item_id_embedding"
        )
        self._normalise = tf.keras.layers.BatchNormalization(name="normalise")
        self._cross = [
            tfrs.layers.dcn.Cross(projection_dim=_PROJECTION, name=f"cross_{i}")
            for i in range(config.cross_layers)
        ]
        self._hidden = [
            tf.keras.layers.Dense(units, activation="relu", name=f"hidden_{i}")
            for i, units in enumerate(config.hidden_units)
        ]
        self._heads = {
            name: tf.keras.layers.Dense(1, name=f"head_{name}") for name in [RELEVANCE, *labels]
        }

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        """query [b, dim + 1], user_index [b], candidates [b, c], log_popularity [b, c] -> head:
        [b, c].

        `relevance` and binary labels are logits; regression labels are in their own unit.
        """
        x = self._features(inputs)
        shape = tf.shape(x)
        x = self._normalise(tf.reshape(x, [-1, x.shape[-1]]), training=training)
        crossed = x
        for layer in self._cross:
            crossed = layer(x, crossed)
        for layer in self._hidden:
            crossed = layer(crossed)
        return {
            name: self._unscaled(name, tf.reshape(head(crossed), shape[:2]))
            for name, head in self._heads.items()
        }

    def _features(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        index, popularity = inputs["candidates"], inputs["log_popularity"]
        candidate = tf.gather(self._vectors, index)
        query = tf.ensure_shape(inputs["query"], [None, self._vectors.shape[1] + 1])
        query = tf.repeat(query[:, tf.newaxis], tf.shape(index)[1], axis=1)
        taste, weight = query[..., :-1], query[..., -1]
        product = taste * candidate
        score = tf.reduce_sum(product, -1) + weight * popularity
        user = tf.repeat(self._users(inputs["user_index"])[:, tf.newaxis], tf.shape(index)[1], 1)
        scalars = tf.stack([score, popularity, tf.reduce_sum(product, -1)], axis=-1)
        return tf.concat([taste, candidate, product, scalars, user, self._items(index)], axis=-1)

    def _unscaled(self, name: str, values: tf.Tensor) -> tf.Tensor:
        mean, deviation = self.scales.get(name, (0.0, 1.0))
        return mean + deviation * values


class RankingModel(tfrs.Model):
    """Multi-task: `relevance` learns which of the candidates was taken, each label what it was
    worth.
    """

    def __init__(
        self,
        network: RankingNetwork,
        labels: dict[str, RankingLabel],
        scales: dict[str, tuple[float, float]],
    ):
        super().__init__()
        self.network = network
        self._labels = labels
        self._scales = scales
        self._relevance = tfrs.tasks.Ranking(
            loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True)
        )
        self._tasks = {
            name: tfrs.tasks.Ranking(loss=_loss(label)) for name, label in labels.items()
        }

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Sum of the heads' weighted losses; neither a NaN label nor a candidate 0 counts."""
        outputs = self.network(inputs, training=training)
        taken = tf.one_hot(tf.zeros_like(inputs["user_index"]), tf.shape(inputs["candidates"])[1])
        logits = tf.where(inputs["candidates"] > 0, outputs[RELEVANCE], _NO_ITEM)
        loss = self._relevance(labels=taken, predictions=logits, compute_metrics=False)
        for name, label in self._labels.items():
            value, predicted = inputs[f"label_{name}"], outputs[name][:, 0]
            known = tf.cast(~tf.math.is_nan(value), tf.float32)
            value = tf.where(tf.math.is_nan(value), tf.zeros_like(value), value)
            deviation = self._scales.get(name, (0.0, 1.0))[1]
            loss += label.weight * self._tasks[name](
                labels=_target(value, label)[:, tf.newaxis] / deviation,
                predictions=predicted[:, tf.newaxis] / deviation,
                sample_weight=known,
                compute_metrics=False,
            )
        return loss


def _target(values: tf.Tensor, label: RankingLabel) -> tf.Tensor:
    return tf.cast(values >= label.at_least, tf.float32) if label.kind == "binary" else values


def _loss(label: RankingLabel) -> tf.keras.losses.Loss:
    if label.kind == "binary":
        return tf.keras.losses.BinaryCrossentropy(from_logits=True)
    return tf.keras.losses.MeanSquaredError()
