"""The ranking network as a SavedModel on indices; `serving` puts strings around it."""

import tensorflow as tf

from schema.dataset import RankingLabel
from trainer.data.windows import Batch
from trainer.metrics.calibration import PlattScaling
from trainer.ranking.network import RankingNetwork

Outputs = dict[str, tf.Tensor]


class RankingModule(tf.Module):
    """`score`: the inputs of `schema.signatures` -> one score per head [b, c], binary heads as
    calibrated probabilities. `uncalibrated`: the same without the calibration.
    """

    def __init__(
        self,
        network: RankingNetwork,
        labels: dict[str, RankingLabel],
        calibration: dict[str, PlattScaling],
        inputs: Batch,
    ):
        """`calibration` of binary labels by name, as far as there is one; `inputs` are any: their
        types and ranks fix the signature's.
        """
        super().__init__()
        # A Keras object in the module would have each of its layers traced and saved on its own.
        self._network = lambda values: network(values, training=False)
        self._network_variables = network.variables
        self.item_vectors = network.item_vectors  # a refresh finds it by this name
        self._binary = [name for name, label in labels.items() if label.kind == "binary"]
        self._calibration = calibration
        specs = {
            name: tf.TensorSpec([None] * len(values.shape), values.dtype, name=name)
            for name, values in inputs.items()
        }
        self.score = tf.function(self._score, input_signature=[specs])
        self.uncalibrated = tf.function(self._uncalibrated, input_signature=[specs])

    def _score(self, inputs: dict[str, tf.Tensor]) -> Outputs:
        return self._probabilities(self._network(inputs), self._calibration)

    def _uncalibrated(self, inputs: dict[str, tf.Tensor]) -> Outputs:
        return self._probabilities(self._network(inputs), {})

    def _probabilities(self, outputs: Outputs, calibration: dict[str, PlattScaling]) -> Outputs:
        for name in self._binary:
            scaling = calibration.get(name, PlattScaling())
            outputs[name] = tf.sigmoid(scaling.slope * outputs[name] + scaling.intercept)
        return outputs


def save(module: RankingModule, path: str) -> None:
    """Writes the SavedModel."""
    module.uncalibrated.get_concrete_function()
    tf.saved_model.save(module, path, signatures=module.score.get_concrete_function())
