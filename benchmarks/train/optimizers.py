"""The cost of a training step by the size of the catalogue, with sparse and with dense updates.

    python -m benchmarks.train.optimizers STEPS ITEMS [ITEMS ...]

Sparse is `trainer.training.sparse_adam`, dense is Keras' Adam, which moves every row of an
embedding. Both use the same batches from memory, alternately, with towers of ids only. Prints JSON.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.simulator.catalogue import compute_zipf_shares
from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.data.timelines import Timelines
from trainer.data.windows import Batch, batch_windows, cut_windows
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.towers import CandidateTower, QueryTower
from trainer.training.sparse_adam import SparseAdam

SEED = 1
USERS = 1000
LENGTH = 20
OPTIMIZERS: dict[str, type[tf.keras.optimizers.Optimizer]] = {
    "sparse": SparseAdam,
    "dense": tf.keras.optimizers.Adam,
}
Step = Callable[[Any], Any]


def milliseconds(items: int, steps: int) -> dict[str, float]:
    """Median time of a step by optimizer, for a catalogue of the given size."""
    config = RetrievalConfig()
    memory = load_batches(draw_timelines(items), items, config, steps + 1)
    timings = {
        name: (_step(items, kind, config, next(iter(memory))), iter(memory))
        for name, kind in OPTIMIZERS.items()
    }
    for step, batches in timings.values():
        step(batches)  # compiles
    result: dict[str, list[float]] = {name: [] for name in timings}
    for _ in range(steps):
        for name, (step, batches) in timings.items():
            start = time.perf_counter()
            step(batches)
            result[name].append(1000 * (time.perf_counter() - start))
    return {name: round(statistics.median(seconds), 1) for name, seconds in result.items()}


def draw_timelines(items: int) -> Timelines:
    """USERS timelines of LENGTH events, with item popularities by Zipf's law."""
    rng = np.random.default_rng(SEED)
    events = USERS * LENGTH
    return Timelines(
        user_ids=np.array([b"%d" % user for user in range(USERS)], object),
        user_index=np.arange(1, USERS + 1, dtype=np.int32),
        row_splits=np.arange(USERS + 1) * LENGTH,
        target_from=np.zeros(USERS, np.int64),
        item_index=rng.choice(items, events, p=compute_zipf_shares(items)).astype(np.int32) + 1,
        timestamps=3600 * np.arange(events),
        positive=np.ones(events, bool),
        labels={},
        context={},
        users={},
    )


def load_batches(
    timelines: Timelines, items: int, config: RetrievalConfig, batches: int
) -> tf.data.Dataset:
    """The first batches of an epoch, repeated endlessly."""
    rng = np.random.default_rng(SEED)

    def generate() -> Iterator[Batch]:
        cut = cut_windows(timelines, config.history_length)
        for batch in batch_windows(timelines, cut, config.positions_per_batch, rng):
            drawn = rng.integers(1, items + 1, config.uniform_negatives)
            yield batch | {"negatives": drawn.astype(np.int32)}

    signature = {
        key: tf.TensorSpec([None] * values.ndim, values.dtype)
        for key, values in next(generate()).items()
    }
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    dataset = dataset.take(batches).cache()
    for _ in dataset:
        pass
    return dataset.repeat()


def _step(
    items: int,
    optimizer: type[tf.keras.optimizers.Optimizer],
    config: RetrievalConfig,
    batch: dict[str, tf.Tensor],
) -> Step:
    """Keras' own compiled training step of a new model with initialised variables."""
    ids = np.full(items + 1, b"", object)
    frequency = np.concatenate([[0.0], compute_zipf_shares(items)])
    candidate = CandidateTower(Catalogue(ids, ids, {}), [], frequency > 0, config)
    query = QueryTower(USERS, [], [], config)
    model = RetrievalModel(query, candidate, frequency, None, config)
    model.compile(optimizer=optimizer(config.learning_rate))
    model.compute_loss(batch)
    model.optimizer.build(model.trainable_variables)
    return model.make_train_function()


def main(steps: str, *sizes: str) -> None:
    """Measures one size after the other, and prints the results by size and optimizer."""
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()  # as in the pipeline
    values_by_name = {}
    for items in sizes:
        values_by_name[items] = milliseconds(int(items), int(steps))
        gc.collect()  # models contain reference cycles, and are large here
    print(json.dumps(values_by_name))


if __name__ == "__main__":
    main(*sys.argv[1:])
