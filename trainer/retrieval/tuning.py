"""The search for retrieval's hyper-parameters: one trial trains on train and is asked on valid."""

import logging
from collections.abc import Callable

import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from pydantic import ValidationError

from schema.errors import TandemError, TrainingDiverged
from trainer.config.models import RetrievalConfig
from trainer.config.tuning import TuneConfig, Value
from trainer.data import evaluation_queries as questions
from trainer.data.training_data import TrainingData
from trainer.retrieval import stage as retrieval
from trainer.search_oracle import OBJECTIVE, FromPresent
from trainer.training import checkpoints as training_state
from trainer.training import fingerprint
from trainer.training.distribution import Hardware
from trainer.trial_records import Measured, TrialRecords

Train = Callable[[RetrievalConfig, str], dict[str, float]]
"""Trains by a configuration and returns what was measured, by name; the text names the trial."""
_progress = logging.getLogger("tandem.progress.trials")


class RetrievalSearch(BaseTuner):
    """KerasTuner's search with Tandem's own trials.

    Trials that `records` hold are not trained again. KerasTuner can resume by itself too, but not
    from any moment: it writes its state in place, in several files one after the other.
    """

    def __init__(
        self,
        config: RetrievalConfig,
        tune: TuneConfig,
        seed: int,
        train: Train,
        records: TrialRecords,
        working_dir: str,
    ):
        """`config` holds what is not searched; KerasTuner's own files go to `working_dir`."""
        super().__init__(FromPresent(config, tune, seed), directory=working_dir, overwrite=True)
        self._config = config
        self._trials = tune.trials
        self._train = train
        self._records = records

    def search(self) -> None:
        """Runs all trials. One that fails on purpose, by a loss that is no number or by values that
        do not go together, is counted; any other error ends the search as it came.

        (KerasTuner's own loop takes every error for a failed trial.) Raises TandemError where no
        trial could be measured.
        """
        while (trial := self.oracle.create_trial(self.tuner_id)).status == TrialStatus.RUNNING:
            measured = self.run_trial(trial)
            self._score(trial, measured)
            self.on_trial_end(trial)
            self._report(measured)
        tried = list(self.oracle.trials.values())
        if all(trial.status == TrialStatus.FAILED for trial in tried):
            raise TandemError(
                f"expected a trial that can be measured, received {len(tried)} that failed, the "
                f"last with: {tried[-1].message}; narrow the ranges under [tune.retrieval]"
            )

    def run_trial(self, trial: Trial) -> Measured:
        """The record of an earlier search, or else of a training now."""
        values = dict(trial.hyperparameters.values)
        found = self._records.find(values)
        if found is None:
            found = self._measure(values, trial.trial_id)
            self._records.keep(found)
        return found

    def _measure(self, values: dict[str, Value], name: str) -> Measured:
        try:
            config = RetrievalConfig.model_validate(self._config.model_dump() | values)
            return Measured(values, self._train(config, name))
        except (TrainingDiverged, ValidationError) as error:
            return Measured(values, {}, str(error))

    def _score(self, trial: Trial, measured: Measured) -> None:
        if measured.failure:
            trial.status, trial.message = TrialStatus.FAILED, measured.failure
            return
        self.oracle.update_trial(trial.trial_id, {OBJECTIVE: measured.metrics[OBJECTIVE]})
        trial.status = TrialStatus.COMPLETED

    def _report(self, measured: Measured) -> None:
        said = measured.failure or f"{OBJECTIVE}={measured.metrics[OBJECTIVE]:.4f}"
        values = " ".join(f"{name}={_short(value)}" for name, value in measured.values.items())
        done = len(self.oracle.trials)
        _progress.info("trial %d of %d: %s  %s", done, self._trials, said, values)


def _short(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def trained_on(
    data: TrainingData, seed: int, log_dir: str, checkpoints: str, hardware: Hardware
) -> Train:
    """Trials as the pipeline trains, without the artifacts that it writes. Each has a folder of its
    own below `log_dir`, for TensorBoard, and below `checkpoints`, which an interrupted one goes on
    from.
    """

    def train(config: RetrievalConfig, name: str) -> dict[str, float]:
        tf.keras.backend.clear_session()
        kept = f"{checkpoints}/{fingerprint.of(data, seed, config.model_dump_json())}"
        asked = questions.ask(data.valid, data.moment(data.valid))
        try:
            measured, _ = retrieval.chosen(
                data, asked, config, seed, f"{log_dir}/{name}", kept, hardware
            )
        except TrainingDiverged:
            training_state.remove(kept)  # nobody will go on with these values
            raise
        training_state.remove(kept)
        return {name: float(value) for name, value in measured.items()}

    return train
