"""The search for retrieval's hyper-parameters: each trial trains on train and is measured on valid.

Finished trials are recorded on disk, so that an interrupted search does not train them again.
"""

import dataclasses
import hashlib
import json
import logging
import pathlib
from collections.abc import Callable
from typing import Any

import keras_tuner
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from pydantic import ValidationError

from schema.errors import TandemError, TrainingDiverged
from schema.storage import atomic
from trainer.config.models import RetrievalConfig
from trainer.config.tuning import HyperparameterValue, TuneConfig, validate_range
from trainer.data.evaluation_queries import build_queries
from trainer.data.training_data import TrainingData
from trainer.retrieval.stage import train_without_valid
from trainer.training.checkpoints import remove_checkpoints
from trainer.training.context import TrainingContext
from trainer.training.distribution import Hardware
from trainer.training.fingerprint import compute_fingerprint

TrainTrial = Callable[[RetrievalConfig, str], dict[str, float]]
"""Trains by a configuration and returns what was measured, by name; the text names the trial."""
_progress = logging.getLogger("tandem.progress.trials")
OBJECTIVE = "valid_ndcg@10"


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """One finished trial."""

    values: dict[str, HyperparameterValue]
    """Hyper-parameters by name."""
    metrics: dict[str, float]
    """What was measured on valid; empty where the trial failed."""
    failure: str = ""
    """Why it failed."""


class TrialRecords:
    """A folder with a file for each finished trial, written whole or not at all."""

    def __init__(self, folder: str):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def find(self, values: dict[str, HyperparameterValue]) -> TrialResult | None:
        """The record of the trial with these values; None where none has finished."""
        path = self._path(values)
        return (
            TrialResult(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
        )

    def keep(self, trial: TrialResult) -> None:
        """Writes the record."""
        path = self._path(trial.values)
        atomic.write_text(path, json.dumps(dataclasses.asdict(trial), indent=1))

    def _path(self, values: dict[str, HyperparameterValue]) -> pathlib.Path:
        text = json.dumps(values, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


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
        train: TrainTrial,
        records: TrialRecords,
        working_dir: str,
    ):
        """`config` holds what is not searched; KerasTuner's own files go to `working_dir`."""
        super().__init__(
            ConfigFirstSearch(config, tune, seed), directory=working_dir, overwrite=True
        )
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

    def run_trial(self, trial: Trial) -> TrialResult:
        """The record of an earlier search, or else of a training now."""
        values = dict(trial.hyperparameters.values)
        found = self._records.find(values)
        if found is None:
            found = self._measure(values, trial.trial_id)
            self._records.keep(found)
        return found

    def _measure(self, values: dict[str, HyperparameterValue], name: str) -> TrialResult:
        try:
            config = RetrievalConfig.model_validate(self._config.model_dump() | values)
            return TrialResult(values, self._train(config, name))
        except (TrainingDiverged, ValidationError) as error:
            return TrialResult(values, {}, str(error))

    def _score(self, trial: Trial, measured: TrialResult) -> None:
        if measured.failure:
            trial.status, trial.message = TrialStatus.FAILED, measured.failure
            return
        self.oracle.update_trial(trial.trial_id, {OBJECTIVE: measured.metrics[OBJECTIVE]})
        trial.status = TrialStatus.COMPLETED

    def _report(self, measured: TrialResult) -> None:
        said = measured.failure or f"{OBJECTIVE}={measured.metrics[OBJECTIVE]:.4f}"
        values = " ".join(
            f"{name}={_format_value(value)}" for name, value in measured.values.items()
        )
        done = len(self.oracle.trials)
        _progress.info("trial %d of %d: %s  %s", done, self._trials, said, values)


def _format_value(value: HyperparameterValue) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def create_trial_training(
    data: TrainingData, seed: int, log_dir: str, checkpoints: str, hardware: Hardware
) -> TrainTrial:
    """Trials as the pipeline trains, without the artifacts that it writes. Each has a folder of its
    own below `log_dir`, for TensorBoard, and below `checkpoints`, which an interrupted one goes on
    from.
    """

    def train(config: RetrievalConfig, name: str) -> dict[str, float]:
        tf.keras.backend.clear_session()
        kept = f"{checkpoints}/{compute_fingerprint(data, seed, config.model_dump_json())}"
        context = TrainingContext(data, config, seed, f"{log_dir}/{name}", kept, hardware)
        queries = build_queries(data.valid, data.moment(data.valid))
        try:
            measured, _ = train_without_valid(context, queries)
        except TrainingDiverged:
            remove_checkpoints(kept)  # nobody will resume with these values
            raise
        remove_checkpoints(kept)
        return {name: float(value) for name, value in measured.items()}

    return train


class ConfigFirstSearch(keras_tuner.oracles.RandomSearchOracle):
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
            hyperparameters=build_search_space(tune),
            # a search that diverges three times in a row may yet find what does not
            max_consecutive_failed_trials=tune.trials + 1,
        )
        self._present: dict[str, HyperparameterValue] = {
            name: getattr(config, name) for name in tune.retrieval
        }

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """KerasTuner's answer: a status, and the values of the next trial by name."""
        if not self.trials:
            return {"status": TrialStatus.RUNNING, "values": dict(self._present)}
        return super().populate_space(trial_id)


def build_search_space(tune: TuneConfig) -> keras_tuner.HyperParameters:
    """The declared ranges in KerasTuner's terms, in the types of RetrievalConfig's fields."""
    hyperparameters = keras_tuner.HyperParameters()
    for name, searched in tune.retrieval.items():
        limits = validate_range(name, searched)
        if searched.values:
            hyperparameters.Choice(name, limits)
            continue
        declare = hyperparameters.Int if isinstance(limits[0], int) else hyperparameters.Float
        declare(name, *limits, sampling=searched.sampling)
    return hyperparameters
