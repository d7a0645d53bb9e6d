"""Our training and the stock way on one data set, in this process: prints JSON.

    python -m benchmarks.train.speed NAME ROOT EVENTS REPEATS STEPS

Ours is `trainer.retrieval.training.fit` as the pipeline calls it. After each of its epochs, stock
is trained for a stretch of steps, so that both see the same machine load. The first epoch and the
first stretch compile and are not counted.
"""

import json
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.quality import data as quality_data
from benchmarks.train import data as train_data
from benchmarks.train import stock as train_stock
from benchmarks.train.stock import StockModel
from pipeline.config.config import load_config
from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import build_queries
from trainer.data.popularity_forecast import ItemPopularity
from trainer.data.training_data import TrainingData
from trainer.retrieval.automatic import resolve_automatic
from trainer.retrieval.build import build_model
from trainer.retrieval.forecast import fit_forecast
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.training import build_epochs, fit_model
from trainer.retrieval.validation import SampleMeasure, draw_sample
from trainer.training.batches import build_dataset
from trainer.training.context import TrainingContext
from trainer.training.distribution import Hardware

SEED = 1
MOST_EXAMPLES = 50_000
"""Most Examples in the stock way's file, which is read repeatedly; more would not be slower to
read.
"""


class Repeats(NamedTuple):
    """How much is measured."""

    epochs: int
    """Measured epochs of ours, and stretches of stock steps."""
    steps: int
    """Steps of a stretch of stock, and of each measurement of its input; ours is quick and has four
    times as many.
    """


class AfterFirst(tf.keras.callbacks.Callback):
    """Seconds from the end of the first batch to the end of the latest."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = 0.0
        self.seconds = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Records the time."""
        if batch == 0:
            self._begun = time.perf_counter()
        self.seconds = time.perf_counter() - self._begun


class Stock:
    """The stock way, trained a stretch of steps at a time."""

    def __init__(self, data: TrainingData, config: RetrievalConfig, size: int, file: pathlib.Path):
        """Writes its Examples to `file`; `size` is the batch size."""
        self.size = size
        rng = np.random.default_rng(SEED)
        train_stock.write(file, data.train, config.history_length, MOST_EXAMPLES, rng)
        self._dataset = train_stock.batches(file, data.train, size)
        untrained = build_model(data, data.train, _forecast_popularity(data, config), config)
        self._model = StockModel(
            untrained.query_tower, untrained.candidate_tower, config.temperature
        )
        self._model.compile(optimizer=train_stock.optimizer())

    def events_per_second(self, steps: int) -> float:
        """Rate of `model.fit` over `steps` steps after the first, which starts the input."""
        clock = AfterFirst()
        self._model.fit(self._dataset, steps_per_epoch=steps + 1, verbose=0, callbacks=[clock])
        return steps * self.size / clock.seconds

    def input_shares(self, repeats: Repeats) -> dict[str, float]:
        """See `input_shares`."""
        return input_shares(self._model, self._dataset, repeats)


class Interleaved:
    """Called by `fit` after each epoch: measures as the pipeline does, then trains a stretch of
    stock.
    """

    def __init__(self, measure: SampleMeasure, stock: Stock, steps: int):
        self._measure = measure
        self.ndcg_by_query = measure.ndcg_by_query
        self._stock = stock
        self._steps = steps
        self.measuring: list[float] = []
        """Seconds, by epoch."""
        self.stock: list[float] = []
        """Events per second, by stretch."""

    def __call__(self) -> dict[str, float]:
        """The measurements."""
        start = time.perf_counter()
        result = self._measure()
        self.measuring.append(time.perf_counter() - start)
        self.stock.append(self._stock.events_per_second(self._steps))
        return result


def measure_speed(
    data: TrainingData, config: RetrievalConfig, folder: pathlib.Path, repeats: Repeats
) -> dict[str, Any]:
    """All measurements on one data set, with its sizes."""
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()  # as in the pipeline
    config = config.model_copy(
        update={"epochs": repeats.epochs + 1, "patience": repeats.epochs + 1}
    )
    model = build_model(data, data.train, _forecast_popularity(data, config), config)
    epochs, steps = build_epochs(model, data.train, config, SEED, Hardware())
    events = int((data.train.own & data.train.positive & (data.train.item_index > 0)).sum())
    stock = Stock(data, config, max(1, round(events / steps)), folder / "stock.tfrecord")
    turns = Interleaved(_measure(model, data, config), stock, repeats.steps)
    context = TrainingContext(
        data, config, SEED, str(folder / "tensorboard"), str(folder / "checkpoints")
    )
    history = fit_model(model, context, turns)
    dataset = build_dataset(epochs, 0, Hardware())
    lengths = np.diff(data.train.row_splits)
    return {
        "events": events,
        "timelines": len(data.train),
        "mean_length": round(float(lengths.mean()), 1),
        "positives_per_batch": stock.size,
        "steps_per_epoch": steps,
        "ours": history["events_per_second"][1:],
        "stock": turns.stock[1:],
        "measuring": turns.measuring[1:],
        "input": {
            "ours": input_shares(model, dataset, repeats._replace(steps=4 * repeats.steps)),
            "stock": stock.input_shares(repeats),
        },
    }


def input_shares(
    model: tf.keras.Model, dataset: tf.data.Dataset, repeats: Repeats
) -> dict[str, float]:
    """Medians of seconds per step: with the real input, with the same batches in memory, and of the
    input alone. The difference of the first two is time spent waiting for input, or lost to it on
    shared cores.
    """
    step = model.make_train_function()
    memory = dataset.take(repeats.steps + 1).cache()
    _seconds(memory, repeats.steps, step)
    values_by_name: dict[str, list[float]] = {"step": [], "from_memory": [], "input_alone": []}
    for _ in range(repeats.epochs):
        values_by_name["step"].append(_seconds(dataset, repeats.steps, step))
        values_by_name["from_memory"].append(_seconds(memory, repeats.steps, step))
        values_by_name["input_alone"].append(_seconds(dataset, repeats.steps, next))
    return {name: statistics.median(seconds) for name, seconds in values_by_name.items()}


def _seconds(dataset: tf.data.Dataset, steps: int, take: Callable[[Any], Any]) -> float:
    """Mean seconds of a `take`, without the first, which starts the input."""
    iterator = iter(dataset)
    take(iterator)
    start = time.perf_counter()
    for _ in range(steps):
        take(iterator)
    return (time.perf_counter() - start) / steps


def _measure(model: RetrievalModel, data: TrainingData, config: RetrievalConfig) -> SampleMeasure:
    """The ranking metrics of each epoch, measured as in the pipeline."""
    queries = build_queries(data.valid, data.moment(data.valid), data.repeats)
    popularity = _forecast_popularity(data, config)
    sample = draw_sample(queries, popularity, data.catalogue.size, config, SEED)
    return SampleMeasure(model, sample, data.catalogue.size, config.temperature)


def _forecast_popularity(data: TrainingData, config: RetrievalConfig) -> ItemPopularity:
    """As learned from train in the pipeline."""
    clock = data.clock(data.train)
    forecast = fit_forecast(clock, config.popularity_days, config.refresh_days, SEED)
    return ItemPopularity(clock, forecast)


def main(name: str, root: str, events: str, epochs: str, steps: str) -> None:
    """Prepares the data set for the trainer, measures, and prints JSON as the last line."""
    data_set = quality_data.prepare_data_set(name, pathlib.Path(root), int(events))
    config = load_config(data_set.config)
    data = train_data.prepare(data_set, config, data_set.home / "train-benchmark")
    with tempfile.TemporaryDirectory(dir=data_set.home) as folder:
        repeats = Repeats(int(epochs), int(steps))
        print(
            json.dumps(
                measure_speed(
                    data, resolve_automatic(config.retrieval, data), pathlib.Path(folder), repeats
                )
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
