"""Which hyper-parameters KerasTuner tries, and in which order."""

from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from trainer.config.models import RetrievalConfig
from trainer.config.tuning import TuneConfig, Value, validated

OBJECTIVE = "valid_ndcg@10"


class FromPresent(keras_tuner.oracles.RandomSearchOracle):
    """Random search whose first trial is the configuration as it stands, so that the best trial is
    never worse than it.

    Random search beats a grid wherever few of the parameters matter: Bergstra and Bengio, Random
    search for hyper-parameter optimization, JMLR 13, 2012. The same seed and ranges give the same
    trials in the same order, and a greater number of trials begins with those of a smaller one.
    """

    def __init__(self, config: RetrievalConfig, tune: TuneConfig, seed: int):
        super().__init__(
            objective=keras_tuner.Objective(OBJECTIVE, "max"),
            max_trials=tune.trials,
            seed=seed + 1,  # KerasTuner takes 0 for "choose one"
            hyperparameters=space(tune),
            # a search that diverges three times in a row may yet find what does not
            max_consecutive_failed_trials=tune.trials + 1,
        )
        self._present: dict[str, Value] = {name: getattr(config, name) for name in tune.retrieval}

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """KerasTuner's answer: a status, and the values of the next trial by name."""
        if not self.trials:
            return {"status": TrialStatus.RUNNING, "values": dict(self._present)}
        return super().populate_space(trial_id)


def space(tune: TuneConfig) -> keras_tuner.HyperParameters:
    """The declared ranges in KerasTuner's terms, in the types of RetrievalConfig's fields."""
    hyperparameters = keras_tuner.HyperParameters()
    for name, searched in tune.retrieval.items():
        limits = validated(name, searched)
        if searched.values:
            hyperparameters.Choice(name, limits)
            continue
        declare = hyperparameters.Int if isinstance(limits[0], int) else hyperparameters.Float
        declare(name, *limits, sampling=searched.sampling)
    return hyperparameters
