"""The ranking network as a SavedModel on indices, with calibrated binary heads; `serving` adds the
conversion from and to strings.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from schema.labels import RankingLabel
from trainer.data.windows import Batch
from trainer.metrics.calibration import PlattScaling, fit_platt_scaling
from trainer.ranking.examples import RankingExamples
from trainer.ranking.label_errors import score_examples
from trainer.ranking.labels import compute_target
from trainer.ranking.network import RankingInputs, RankingNetwork

RankingScores = dict[str, tf.Tensor]


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
        """Creates the module.

        Args:
            network: the trained network.
            labels: the labels that it has heads for.
            calibration: scaling by binary label; a label without one is not calibrated.
            inputs: any inputs; their types and ranks determine the signature.
        """
        super().__init__()
        # A Keras object in the module would have each of its layers traced and saved on its own.
        self._network = lambda values: network(values, training=False)
        self._network_variables = network.variables
        self.item_vectors = network.item_vectors  # a refresh looks it up by this name
        self._binary = [name for name, label in labels.items() if label.kind == "binary"]
        self._calibration = calibration
        specs = {
            name: tf.TensorSpec([None] * len(values.shape), values.dtype, name=name)
            for name, values in inputs.items()
        }
        self.score = tf.function(self._score, input_signature=[specs], autograph=False)
        self.uncalibrated = tf.function(
            self._uncalibrated, input_signature=[specs], autograph=False
        )

    def _score(self, inputs: dict[str, tf.Tensor]) -> RankingScores:
        return self._probabilities(self._network(inputs), self._calibration)

    def _uncalibrated(self, inputs: dict[str, tf.Tensor]) -> RankingScores:
        return self._probabilities(self._network(inputs), {})

    def _probabilities(
        self, outputs: RankingScores, calibration: dict[str, PlattScaling]
    ) -> RankingScores:
        for name in self._binary:
            scaling = calibration.get(name, PlattScaling())
            outputs[name] = tf.sigmoid(scaling.slope * outputs[name] + scaling.intercept)
        return outputs


def save_ranking_model(module: RankingModule, path: str) -> None:
    """Writes the SavedModel."""
    module.uncalibrated.get_concrete_function()
    tf.saved_model.save(module, path, signatures=module.score.get_concrete_function())


def fit_calibration(
    network: Callable[[RankingInputs], RankingInputs],
    labels: dict[str, RankingLabel],
    held_out: RankingExamples,
) -> dict[str, PlattScaling]:
    """Binary label -> scaling of the logits of `network`; no entry for a label whose held-out
    events do not have both outcomes.
    """
    traced = tf.function(network, reduce_retracing=True, autograph=False)
    logits = score_examples(traced, held_out)
    fitted = {
        name: _fit_scaling(logits[name], held_out.labels[name], label)
        for name, label in labels.items()
        if label.kind == "binary" and name in logits
    }
    return {name: scaling for name, scaling in fitted.items() if scaling is not None}


def _fit_scaling(
    logits: np.ndarray, values: np.ndarray, label: RankingLabel
) -> PlattScaling | None:
    known = ~np.isnan(values)
    return fit_platt_scaling(logits[known], compute_target(values[known], label))
