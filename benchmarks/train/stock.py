"""Training as in the TFRS tutorials: one Example per event, each with a copy of its history."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.data.timelines import Timelines
from trainer.layers.attention import compute_log_gaps
from trainer.retrieval.towers import CandidateTower, QueryTower

_SHUFFLED = 10_000  # examples, as in the tutorial
_LEARNING_RATE = 0.1  # for Adagrad, as in the tutorial
_HISTORY_FEATURES = ("history_items", "history_timestamps")
_EVENT_FEATURES = ("item", "timestamp", "user_index")
Tensors = dict[str, tf.Tensor]


def last_query(
    tower: QueryTower, batch: Tensors, item_vectors: tf.Tensor, training: bool
) -> tf.Tensor:
    """`item_vectors` [b, t, dim] of `batch["item_index"]` [b, t] -> [b, dim]: the query tower's
    output at the last position.

    Computes only that position wherever possible, so that the stock way does no unnecessary work.
    """
    in_vocabulary = batch["item_index"] > 0
    gaps = compute_log_gaps(batch["timestamps"], in_vocabulary)
    history = tower._summarise_history(item_vectors, in_vocabulary, gaps, training)[:, -1]
    ids = tower._hide_ids(batch["user_index"], training)
    user = tower._user(batch | {"item_index": batch["item_index"][:, -1:]}, ids)[:, -1]
    moment = tower._moment(batch, in_vocabulary, gaps)[:, -1]
    hidden = tower._hidden(tf.concat([history, moment, user], axis=-1))
    taste = tf.math.l2_normalize(
        history + tower._project(tower._dropout(hidden, training=training)), axis=-1
    )
    length = tf.exp(tower._log_scale)
    if tower._strength is not None:
        length *= tower._strength(tower._collect_evidence(batch, in_vocabulary, gaps, ids)[:, -1])
    return taste * length


class StockModel(tfrs.Model):
    """The tutorial's model with our towers: softmax over the batch's own items.

    Each distinct item of a batch goes through the candidate tower once, as in our model.
    """

    def __init__(self, query: QueryTower, candidate: CandidateTower, temperature: float):
        super().__init__()
        self.query_tower = query
        self.candidate_tower = candidate
        self.task = tfrs.tasks.Retrieval(temperature=temperature)

    def compute_loss(self, features: Tensors, training: bool = False) -> tf.Tensor:
        """Sum of the losses of a batch whose last position is the consumed item."""
        return self.task(*self.encode(features, training), compute_metrics=False)

    @tf.autograph.experimental.do_not_convert  # as in our model
    def encode(self, features: Tensors, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Queries [b, dim], and vectors of the consumed items."""
        index = features["item_index"]
        distinct, position = tf.unique(tf.reshape(index, [-1]))
        vectors = tf.gather(self.candidate_tower(distinct, training=training), position)
        vectors = tf.reshape(vectors, [*tf.unstack(tf.shape(index)), vectors.shape[-1]])
        return last_query(self.query_tower, features, vectors, training), vectors[:, -1]


def optimizer() -> tf.keras.optimizers.Optimizer:
    """The tutorial's optimizer. A step updates only the batch's rows of an embedding."""
    return tf.keras.optimizers.Adagrad(_LEARNING_RATE)


def write(
    path: pathlib.Path, timelines: Timelines, length: int, most: int, rng: np.random.Generator
) -> int:
    """Writes Examples for at most `most` positive events, in random order, each with the `length` -
    1 events before it; returns their number.
    """
    chosen = np.flatnonzero(timelines.own & timelines.positive & (timelines.item_index > 0))
    chosen = rng.permutation(chosen)[:most]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples(timelines, chosen, length):
            writer.write(example.SerializeToString())
    return len(chosen)


def examples(timelines: Timelines, events: np.ndarray, length: int) -> Iterator[tf.train.Example]:
    """One Example for each of the `events` (positions in the flat arrays), with the `length` - 1
    events before it.
    """
    rows = timelines.rows[events]
    begins = np.maximum(timelines.row_splits[rows], events - (length - 1))
    for event, row, begin in zip(events, rows, begins, strict=True):
        values = {
            "history_items": timelines.item_index[begin:event],
            "history_timestamps": timelines.timestamps[begin:event],
            "item": timelines.item_index[event],
            "timestamp": timelines.timestamps[event],
            "user_index": timelines.user_index[row],
        }
        values |= {f"context_{name}": array[event] for name, array in timelines.context.items()}
        values |= {f"user_{name}": array[row] for name, array in timelines.users.items()}
        yield tf.train.Example(
            features=tf.train.Features(feature={k: _feature(v) for k, v in values.items()})
        )


def batches(path: pathlib.Path, timelines: Timelines, size: int) -> tf.data.Dataset:
    """Endless batches of `size` examples, shuffled, parsed as whole batches, histories padded."""
    spec = _spec(timelines)

    def parsed(serialized: tf.Tensor) -> Tensors:
        return pad(tf.io.parse_example(serialized, spec))

    return (
        tf.data.TFRecordDataset(str(path))
        .shuffle(_SHUFFLED)
        .repeat()
        .batch(size, drop_remainder=True)
        .map(parsed, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def pad(parsed: dict[str, Any]) -> Tensors:
    """A parsed batch as input of the towers, [b, t]: histories, zeros, and the event itself
    last.
    """
    items, times = (parsed[f"history_{name}"].to_tensor() for name in ("items", "timestamps"))
    items = tf.concat([items, parsed["item"][:, tf.newaxis]], axis=1)
    times = tf.concat([times, parsed["timestamp"][:, tf.newaxis]], axis=1)
    batch = {"item_index": tf.cast(items, tf.int32), "timestamps": times}
    length = tf.shape(items)[1]
    for name, values in parsed.items():
        if name.startswith("user_"):
            batch[name] = _narrow(values)
        if name.startswith("context_"):
            batch[name] = tf.repeat(_narrow(values)[:, tf.newaxis], length, axis=1)
    return batch


def _narrow(values: tf.Tensor) -> tf.Tensor:
    return tf.cast(values, tf.int32) if values.dtype == tf.int64 else values


def _spec(timelines: Timelines) -> dict[str, Any]:
    arrays = {f"context_{name}": values for name, values in timelines.context.items()}
    arrays |= {f"user_{name}": values for name, values in timelines.users.items()}
    spec: dict[str, Any] = {
        name: tf.io.FixedLenFeature(values.shape[1:], _type(values))
        for name, values in arrays.items()
    }
    spec |= {name: tf.io.FixedLenFeature([], tf.int64) for name in _EVENT_FEATURES}
    spec |= {name: tf.io.RaggedFeature(tf.int64) for name in _HISTORY_FEATURES}
    return spec


def _type(values: np.ndarray) -> tf.DType:
    return tf.int64 if values.dtype.kind in "iu" else tf.float32


def _feature(values: np.ndarray) -> tf.train.Feature:
    flat = np.ravel(values)
    if _type(flat) == tf.int64:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=flat))
    return tf.train.Feature(float_list=tf.train.FloatList(value=flat))
