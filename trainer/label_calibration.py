"""Calibrates the binary heads on events that their weights have not been fitted to."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from schema.dataset import RankingLabel
from trainer.metrics import calibration as platt_scaling
from trainer.metrics.calibration import PlattScaling
from trainer.ranking import label_errors
from trainer.ranking import labels as label_values
from trainer.ranking.examples import RankingExamples
from trainer.ranking.network import Inputs


def fit(
    network: Callable[[Inputs], Inputs], labels: dict[str, RankingLabel], held_out: RankingExamples
) -> dict[str, PlattScaling]:
    """Binary label -> its scaling of the logits that `network` answers; none where the held-out
    events do not have both outcomes.
    """
    logits = label_errors.scored(tf.function(network, reduce_retracing=True), held_out)
    fitted = {
        name: _scaling(logits[name], held_out.labels[name], label)
        for name, label in labels.items()
        if label.kind == "binary" and name in logits
    }
    return {name: scaling for name, scaling in fitted.items() if scaling is not None}


def _scaling(logits: np.ndarray, values: np.ndarray, label: RankingLabel) -> PlattScaling | None:
    known = ~np.isnan(values)
    return platt_scaling.fit(logits[known], label_values.target(values[known], label))
