"""The ranking model: DCN-v2 over query, candidate and what stands between them, one head per
label.
"""

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from schema.labels import RankingLabel
from schema.signatures import RELEVANCE
from trainer.bias_baseline import BiasBaseline
from trainer.bias_layer import BiasLayer
from trainer.config import RankingConfig
from trainer.measured_model import MeasuredModel

_PROJECTION = 32
_NO_ITEM = -1e9  # a logit whose exponential is 0 and whose product with 0 is still a number


class RankingNetwork(tf.keras.Model):
    """Scores every candidate of every query in one call.

    Relevance begins as retrieval's own score and each label as its bias baseline; training adds
    what it finds to be wrong with them. Cross layers: Wang et al., DCN V2, WWW 2021, low rank.
    Beside the query's and the candidate's vectors it sees their product, retrieval's score, present
    popularity, and id embeddings of its own.
    """

    def __init__(
        self,
        item_vectors: np.ndarray,
        users: int,
        labels: dict[str, RankingLabel],
        baselines: dict[str, BiasBaseline],
        config: RankingConfig,
    ):
        """`item_vectors` [n + 1, dim]; `baselines` by label: what its head starts from."""
        super().__init__(name="ranking_network")
        self._vectors = tf.Variable(item_vectors, trainable=False, name="item_vectors")
        self._labels = labels
        self._biases = {
            name: BiasLayer(baselines[name], label.kind == "binary")
            for name, label in labels.items()
        }
        self._deviations = {name: _deviation(labels[name], baselines[name]) for name in labels}
        self._users = tf.keras.layers.Embedding(users + 1, config.id_dim, name="user_id_embedding")
        self._items = tf.keras.layers.Embedding(
            len(item_vectors), config.id_dim, name="item_id_embedding"
        )
        self._normalise = tf.keras.layers.Normalization(name="normalise")
        self._dropout = tf.keras.layers.Dropout(config.dropout)
        self._trust = self.add_weight("trust_in_retrieval", initializer="ones")
        self._cross = [
            tfrs.layers.dcn.Cross(projection_dim=_PROJECTION, name=f"cross_{i}")
            for i in range(config.cross_layers)
        ]
        self._hidden = [
            tf.keras.layers.Dense(units, activation="relu", name=f"hidden_{i}")
            for i, units in enumerate(config.hidden_units)
        ]
        self._heads = {
            name: tf.keras.layers.Dense(1, kernel_initializer="zeros", name=f"head_{name}")
            for name in (RELEVANCE, *labels)
        }

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        """query [b, dim + 1], user_index [b], candidates [b, c], log_popularity [b, c] -> head:
        [b, c].

        `relevance` and binary labels are logits; regression labels are in their own unit.
        """
        x = self._features(inputs)
        shape = tf.shape(x)
        x = self._normalise(tf.reshape(x, [-1, x.shape[-1]]))
        x = self._dropout(x, training=training)
        crossed = x
        for layer in self._cross:
            crossed = layer(x, crossed)
        for layer in self._hidden:
            crossed = layer(crossed)
        return {
            name: self._start(name, inputs)
            + self._deviations.get(name, 1.0) * tf.reshape(head(crossed), shape[:2])
            for name, head in self._heads.items()
        }

    def take(self, item_vectors: np.ndarray) -> None:
        """Puts other vectors [n + 1, dim] of the same space in the place of those learned from."""
        self._vectors.assign(item_vectors)

    def adapt(self, inputs: dict[str, tf.Tensor]) -> None:
        """Learns mean and deviation of every feature from a sample of the inputs."""
        x = self._features(inputs)
        self._normalise.adapt(tf.reshape(x, [-1, x.shape[-1]]))

    def _features(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        index, popularity = inputs["candidates"], inputs["log_popularity"]
        candidate = tf.gather(self._vectors, index)
        query = tf.ensure_shape(inputs["query"], [None, self._vectors.shape[1] + 1])
        query = tf.repeat(query[:, tf.newaxis], tf.shape(index)[1], axis=1)
        taste = query[..., :-1]
        product = taste * candidate
        user = tf.repeat(self._users(inputs["user_index"])[:, tf.newaxis], tf.shape(index)[1], 1)
        alike = tf.reduce_sum(product, -1)
        scalars = tf.stack([self._retrieval_score(inputs), popularity, alike], axis=-1)
        return tf.concat([taste, candidate, product, scalars, user, self._items(index)], axis=-1)

    def _retrieval_score(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """[b, c] as the index has it: taste, and present popularity by its weight."""
        candidate = tf.gather(self._vectors, inputs["candidates"])
        taste = tf.einsum("bd,bcd->bc", inputs["query"][:, :-1], candidate)
        return taste + inputs["query"][:, -1:] * inputs["log_popularity"]

    def _start(self, name: str, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """[b, c] what the head's correction is added to."""
        if name == RELEVANCE:
            return self._trust * self._retrieval_score(inputs)
        return self._biases[name](inputs["user_index"][:, tf.newaxis], inputs["candidates"])


class RankingModel(MeasuredModel):
    """Multi-task: `relevance` learns which of the candidates was taken, each label what it was
    worth.
    """

    def __init__(
        self,
        network: RankingNetwork,
        labels: dict[str, RankingLabel],
        baselines: dict[str, BiasBaseline],
    ):
        super().__init__()
        self.network = network
        self._labels = labels
        self._deviations = {name: _deviation(labels[name], baselines[name]) for name in labels}
        self._relevance = tfrs.tasks.Ranking(
            loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True)
        )
        self._tasks = {
            name: tfrs.tasks.Ranking(loss=_loss(label)) for name, label in labels.items()
        }

    def weighted_loss(
        self, inputs: dict[str, tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sum over the examples of the heads' weighted losses, and how many examples they are;
        neither a NaN label nor a candidate 0 counts.
        """
        outputs = self.network(inputs, training=training)
        taken = tf.one_hot(tf.zeros_like(inputs["user_index"]), tf.shape(inputs["candidates"])[1])
        logits = tf.where(inputs["candidates"] > 0, outputs[RELEVANCE], _NO_ITEM)
        loss = self._relevance(labels=taken, predictions=logits, compute_metrics=False)
        for name, label in self._labels.items():
            value, predicted = inputs[f"label_{name}"], outputs[name][:, 0]
            known = tf.cast(~tf.math.is_nan(value), tf.float32)
            value = tf.where(tf.math.is_nan(value), tf.zeros_like(value), value)
            deviation = self._deviations[name]
            loss += label.weight * self._tasks[name](
                labels=_target(value, label)[:, tf.newaxis] / deviation,
                predictions=predicted[:, tf.newaxis] / deviation,
                sample_weight=known,
                compute_metrics=False,
            )
        count = tf.cast(tf.size(inputs["user_index"]), tf.float32)
        return loss * count, count


def _deviation(label: RankingLabel, baseline: BiasBaseline) -> float:
    """Unit of a regression label's errors; a logit has none."""
    return baseline.deviation if label.kind == "regression" else 1.0


def _target(values: tf.Tensor, label: RankingLabel) -> tf.Tensor:
    return tf.cast(values >= label.at_least, tf.float32) if label.kind == "binary" else values


def _loss(label: RankingLabel) -> tf.keras.losses.Loss:
    if label.kind == "binary":
        return tf.keras.losses.BinaryCrossentropy(from_logits=True)
    return tf.keras.losses.MeanSquaredError()
