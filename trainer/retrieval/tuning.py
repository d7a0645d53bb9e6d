"""Hyper-parameter search for retrieval: each trial trains on train and is evaluated on valid.

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
from trainer.retrieval.automatic import resolve_automatic
from trainer.retrieval.stage import train_without_valid
from trainer.training.checkpoints import remove_checkpoints
from trainer.training.context import TrainingContext
from trainer.training.distribution import Hardware
from trainer.training.fingerprint import compute_fingerprint

TrainTrial = Callable[[RetrievalConfig, str], dict[str, float]]
"""Trains with a configuration and returns its metrics; the string is the trial's name."""
_progress = logging.getLogger("tandem.progress.trials")
OBJECTIVE = "valid_ndcg@10"


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """One finished trial."""

    values: dict[str, HyperparameterValue]
    """Hyper-parameters by name."""
    metrics: dict[str, float]
    """Metrics on valid; empty if the trial failed."""
    failure: str = ""
    """Why it failed."""


class TrialRecords:
    """A folder with one file per finished trial, written atomically."""

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

    Trials in `records` are not trained again. KerasTuner's own resuming is not safe at every
    moment: it overwrites its state in place, in several files one after the other.
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
        """Creates the search; `search` runs it.

        Args:
            config: values of the hyper-parameters that are not searched.
            tune: ranges and number of trials.
            seed: seed of the search.
            train: trains one trial.
            records: finished trials.
            working_dir: folder for KerasTuner's own files.
        """
        super().__init__(
            ConfigFirstSearch(config, tune, seed), directory=working_dir, overwrite=True
        )
        self._config = config
        self._trials = tune.trials
        self._train = train
        self._records = records

    def search(self) -> None:
        """Runs all trials. A trial with a non-finite loss or an invalid combination of values
        counts as failed; any other error is raised and ends the search.

        (KerasTuner's own loop treats every error as a failed trial.) Raises TandemError if all
        trials failed.
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
        """The trial's record from an earlier search, or else the result of training it now."""
        values = dict(trial.hyperparameters.values)
        result = self._records.find(values)
        if result is None:
            result = self._measure(values, trial.trial_id)
            self._records.keep(result)
        return result

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
        outcome = measured.failure or f"{OBJECTIVE}={measured.metrics[OBJECTIVE]:.4f}"
        values = " ".join(
            f"{name}={_format_value(value)}" for name, value in measured.values.items()
        )
        done = len(self.oracle.trials)
        _progress.info("trial %d of %d: %s  %s", done, self._trials, outcome, values)


def _format_value(value: HyperparameterValue) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def create_trial_training(
    data: TrainingData, seed: int, log_dir: str, checkpoints: str, hardware: Hardware
) -> TrainTrial:
    """A function that trains one trial like the pipeline, but without writing artifacts.

    Args:
        data: all three splits; test is not used.
        seed: seed of every trial.
        log_dir: each trial has a folder in it for TensorBoard.
        checkpoints: each trial has a folder in it, which an interrupted trial resumes from.
        hardware: devices of the training.
    """

    def train(config: RetrievalConfig, name: str) -> dict[str, float]:
        tf.keras.backend.clear_session()
        folder = f"{checkpoints}/{compute_fingerprint(data, seed, config.model_dump_json())}"
        resolved = resolve_automatic(config, data)
        context = TrainingContext(data, resolved, seed, f"{log_dir}/{name}", folder, hardware)
        queries = build_queries(data.valid, data.moment(data.valid), data.repeats)
        try:
            measured, *_ = train_without_valid(context, queries)
        except TrainingDiverged:
            remove_checkpoints(folder)  # these values will not be trained again
            raise
        remove_checkpoints(folder)
        return {name: float(value) for name, value in measured.items()}

    return train


class ConfigFirstSearch(keras_tuner.oracles.RandomSearchOracle):
    """Random search whose first trial is the current configuration, so that the best trial is
    never worse than it.

    Random search beats grid search where only a few of the parameters matter: Bergstra and Bengio,
    Random search for hyper-parameter optimization, JMLR 13, 2012. The same seed and ranges give the
    same trials in the same order, and a longer search begins with the trials of a shorter one.
    """

    def __init__(self, config: RetrievalConfig, tune: TuneConfig, seed: int):
        super().__init__(
            objective=keras_tuner.Objective(OBJECTIVE, "max"),
            max_trials=tune.trials,
            seed=seed + 1,  # KerasTuner replaces seed 0 by a random one
            hyperparameters=build_search_space(tune),
            # KerasTuner stops after three failed trials in a row, but later ones may succeed
            max_consecutive_failed_trials=tune.trials + 1,
        )
        self._current: dict[str, HyperparameterValue] = {
            name: getattr(config, name) for name in tune.retrieval
        }

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next trial as KerasTuner expects it: its status, and its values by name."""
        if not self.trials:
            return {"status": TrialStatus.RUNNING, "values": dict(self._current)}
        return super().populate_space(trial_id)


def build_search_space(tune: TuneConfig) -> keras_tuner.HyperParameters:
    """The declared ranges as KerasTuner hyper-parameters, with the types of RetrievalConfig."""
    hyperparameters = keras_tuner.HyperParameters()
    for name, searched in tune.retrieval.items():
        limits = validate_range(name, searched)
        if searched.values:
            hyperparameters.Choice(name, limits)
            continue
        declare = hyperparameters.Int if isinstance(limits[0], int) else hyperparameters.Float
        declare(name, *limits, sampling=searched.sampling)
    return hyperparameters
