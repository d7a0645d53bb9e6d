"""The ranking network as a SavedModel on indices; `serving` puts strings around it."""

import tensorflow as tf

from schema.labels import RankingLabel
from trainer.ranking_model import RankingNetwork


class RankingModule(tf.Module):
    """`score`: query vectors and candidates -> one score per head, binary heads as
    probabilities.
    """

    def __init__(self, network: RankingNetwork, labels: dict[str, RankingLabel], dim: int):
        super().__init__()
        # A Keras object in the module would have each of its layers traced and saved on its own.
        self._network = lambda inputs: network(inputs, training=False)
        self._network_variables = network.variables
        self._labels = labels
        self.score = tf.function(
            self._score,
            input_signature=[
                tf.TensorSpec([None, dim + 1], tf.float32, name="query"),
                tf.TensorSpec([None], tf.int32, name="user_index"),
                tf.TensorSpec([None, None], tf.int32, name="candidates"),
                tf.TensorSpec([None, None], tf.float32, name="log_popularity"),
            ],
        )

    def _score(
        self,
        query: tf.Tensor,
        user_index: tf.Tensor,
        candidates: tf.Tensor,
        log_popularity: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        inputs = {
            "query": query,
            "user_index": user_index,
            "candidates": candidates,
            "log_popularity": log_popularity,
        }
        outputs = self._network(inputs)
        for name, label in self._labels.items():
            if label.kind == "binary":
                outputs[name] = tf.sigmoid(outputs[name])
        return outputs


def save(module: RankingModule, path: str) -> None:
    """Writes the SavedModel."""
    tf.saved_model.save(module, path, signatures=module.score.get_concrete_function())
