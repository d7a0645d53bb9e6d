"""The query tower as a SavedModel: raw strings in, the vector to search with out."""

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from schema import signatures, timeline
from schema.dataset import Dataset
from schema.features import Feature
from trainer.data.timelines import item_table
from trainer.retrieval.towers import QueryTower


class QueryModule(tf.Module):
    """`query` for serving, `positions` for the ranking trainer and the evaluator.

    The vector's last column is `popularity_weight`; the rest is the tower's divided by the
    temperature.
    """

    def __init__(
        self,
        tower: QueryTower,
        item_vectors: np.ndarray,
        popularity_weight: float,
        temperature: float,
        history_length: int,
        dataset: Dataset,
        graphs: tuple[tft.TFTransformOutput, tft.TFTransformOutput],
    ):
        """`item_vectors` [n + 1, dim]; `graphs` are the Transforms of items and of timelines."""
        super().__init__()
        # A Keras object in the module would have each of its layers traced and saved on its own.
        self._tower = lambda batch, history: tower(batch, history, training=False)
        self._variables_of_tower = lambda: tower.variables
        # A refresh finds it by this name, and puts vectors of more items into it.
        self.item_vectors = tf.Variable(
            item_vectors,
            trainable=False,
            shape=[None, item_vectors.shape[1]],
            name="item_vectors",
        )
        self._weight = tf.Variable(popularity_weight, trainable=False, name="popularity_weight")
        self._temperature = temperature
        self._length = history_length
        self._dataset = dataset
        self._items = item_table(graphs[0])
        self._transform = graphs[1].transform_features_layer()

    def track_tower(self) -> None:
        """Lets a SavedModel hold the tower's variables, which exist once it has been called."""
        self._tower_variables = self._variables_of_tower()

    def encode(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """Batches as `trainer.data.windows` makes them -> [b, t, dim + 1]."""
        history = tf.gather(self.item_vectors, batch["item_index"])
        taste = self._tower(batch, history) / self._temperature
        weight = tf.fill(tf.concat([tf.shape(taste)[:2], [1]], 0), self._weight)
        return tf.concat([taste, weight], axis=-1)

    def ask(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Inputs -> all that ranking reads of a query, both as in `schema.signatures`."""
        history = inputs[signatures.HISTORY_ITEM_IDS][:, -self._length :]
        times = inputs[signatures.HISTORY_TIMESTAMPS][:, -self._length :]
        numbers = self._transform(self._raw(inputs))
        index = tf.cast(self._items.lookup(history) + 1, tf.int32)
        batch = {
            "item_index": tf.pad(index, [[0, 0], [0, 1]]),
            "timestamps": tf.concat([times, inputs[signatures.NOW][:, tf.newaxis]], axis=1),
            "user_index": tf.cast(numbers["user_index"], tf.int32),
        }
        for name in self._dataset.features.context:
            key = timeline.name_context(name)
            value = numbers[key].to_tensor(shape=[None, 1])
            batch[key] = tf.pad(value, [[0, 0], [tf.shape(index)[1], 0]])
        for name in self._dataset.features.users:
            key = timeline.name_user_feature(name)
            value = numbers[key]
            batch[key] = value.to_tensor() if isinstance(value, tf.RaggedTensor) else value
        context = {timeline.name_context(name) for name in self._dataset.features.context}
        return {
            signatures.VECTOR: self.encode(batch)[:, -1],
            signatures.USER_INDEX: batch["user_index"],
            signatures.HISTORY_INDEX: index,
            signatures.NOW: inputs[signatures.NOW],
        } | {key: batch[key][:, -1] for key in sorted(context)}

    def _raw(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What the Transform graph wants: ragged lists without the values that stand for
        missing.
        """
        raw = {timeline.USER_ID: inputs[signatures.USER_ID]}
        for key, _ in declared(self._dataset):
            values = inputs[key]
            values = values[:, tf.newaxis] if values.shape.rank == 1 else values
            missing = values == "" if values.dtype == tf.string else is_missing(values)
            raw[key] = tf.ragged.boolean_mask(values, ~missing)
        return raw

    def input_signature(self) -> dict[str, tf.TensorSpec]:
        """Specs of `ask`'s inputs by name."""
        specs = {
            signatures.USER_ID: tf.TensorSpec([None], tf.string),
            signatures.HISTORY_ITEM_IDS: tf.TensorSpec([None, None], tf.string),
            signatures.HISTORY_TIMESTAMPS: tf.TensorSpec([None, None], tf.int64),
            signatures.NOW: tf.TensorSpec([None], tf.int64),
        }
        specs |= {key: _input(feature) for key, feature in declared(self._dataset)}
        return {key: tf.TensorSpec(s.shape, s.dtype, name=key) for key, s in specs.items()}


def declared(dataset: Dataset) -> list[tuple[str, Feature]]:
    """Context and user features of a query by input name."""
    context = [(timeline.name_context(n), f) for n, f in dataset.features.context.items()]
    return context + [(timeline.name_user_feature(n), f) for n, f in dataset.features.users.items()]


def is_missing(values: tf.Tensor) -> tf.Tensor:
    """NaN stands for a missing number, 0 for a missing timestamp."""
    return tf.math.is_nan(values) if values.dtype.is_floating else values == 0


def _input(feature: Feature) -> tf.TensorSpec:
    shape = [None, None] if feature.kind == "set" else [None]
    if feature.kind == "vector":
        return tf.TensorSpec([None, feature.size], tf.float32)
    dtype = {"number": tf.float32, "timestamp": tf.int64}.get(feature.kind, tf.string)
    return tf.TensorSpec(shape, dtype)


def save(module: QueryModule, batch: dict[str, np.ndarray], path: str) -> None:
    """Writes the SavedModel. `batch` is any batch of the trainer's: its ranks fix those of
    `positions`.
    """
    specs = {k: tf.TensorSpec([None] * v.ndim, v.dtype, name=k) for k, v in batch.items()}
    module.positions = tf.function(module.encode, input_signature=[specs])
    module.query = tf.function(module.ask, input_signature=[module.input_signature()])
    serve = module.query.get_concrete_function()
    module.track_tower()
    tf.saved_model.save(module, path, signatures={signatures.SERVING_DEFAULT: serve})
