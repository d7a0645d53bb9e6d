"""The two towers as SavedModels: raw strings of a query -> search vector; raw features of an item
-> its vector.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from schema import signatures, timeline
from schema.dataset import Dataset
from schema.features import Feature
from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.timelines import build_item_table
from trainer.metrics.top_k import iterate_blocks
from trainer.retrieval.towers import CandidateTower, QueryTower

Encode = Callable[[dict[str, tf.Tensor]], tf.Tensor]


class QueryModule(tf.Module):
    """`query` for serving, `positions` for the ranking trainer and the evaluator.

    The vector's last column is `popularity_weight`; the others are the tower's output divided by
    the temperature.
    """

    def __init__(
        self,
        tower: QueryTower,
        item_vectors: np.ndarray,
        popularity_weight: float,
        config: RetrievalConfig,
        dataset: Dataset,
        graphs: tuple[tft.TFTransformOutput, tft.TFTransformOutput],
    ):
        """Creates the module; its functions are traced when it is saved.

        Args:
            tower: the trained query tower.
            item_vectors: [n + 1, dim] vectors of the items in histories.
            popularity_weight: weight of log popularity in the score.
            config: the configuration that the tower was trained with.
            dataset: declares the query's features.
            graphs: the Transforms of items and of timelines.
        """
        super().__init__()
        # A Keras object in the module would have each of its layers traced and saved on its own.
        self._tower = lambda batch, history: tower(batch, history, training=False)
        self._variables_of_tower = lambda: tower.variables
        # A refresh looks it up by this name, and may assign vectors of more items.
        self.item_vectors = tf.Variable(
            item_vectors,
            trainable=False,
            shape=[None, item_vectors.shape[1]],
            name="item_vectors",
        )
        self._weight = tf.Variable(popularity_weight, trainable=False, name="popularity_weight")
        self._temperature = config.temperature
        self._length = config.history_length
        self._dataset = dataset
        self._items = build_item_table(graphs[0])
        self._transform = graphs[1].transform_features_layer()

    def track_tower(self) -> None:
        """Includes the tower's variables, which exist after its first call, in the SavedModel."""
        self._tower_variables = self._variables_of_tower()

    def encode(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """Batches of `trainer.data.windows` -> query vectors [b, t, dim + 1]."""
        history = tf.gather(self.item_vectors, batch["item_index"])
        vectors = self._tower(batch, history) / self._temperature
        weight = tf.fill(tf.concat([tf.shape(vectors)[:2], [1]], 0), self._weight)
        return tf.concat([vectors, weight], axis=-1)

    def encode_query(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Inputs of a query -> query inputs of the ranking model, as in `schema.signatures`."""
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
        """Inputs of the Transform graph: ragged lists without the values that mean missing."""
        raw = {timeline.USER_ID: inputs[signatures.USER_ID]}
        for key, _ in list_query_features(self._dataset):
            values = inputs[key]
            values = values[:, tf.newaxis] if values.shape.rank == 1 else values
            missing = values == "" if values.dtype == tf.string else is_missing(values)
            raw[key] = tf.ragged.boolean_mask(values, ~missing)
        return raw

    def input_signature(self) -> dict[str, tf.TensorSpec]:
        """Specs of `encode_query`'s inputs by name."""
        specs = {
            signatures.USER_ID: tf.TensorSpec([None], tf.string),
            signatures.HISTORY_ITEM_IDS: tf.TensorSpec([None, None], tf.string),
            signatures.HISTORY_TIMESTAMPS: tf.TensorSpec([None, None], tf.int64),
            signatures.NOW: tf.TensorSpec([None], tf.int64),
        }
        specs |= {
            key: _build_input_spec(feature) for key, feature in list_query_features(self._dataset)
        }
        return {key: tf.TensorSpec(s.shape, s.dtype, name=key) for key, s in specs.items()}


def list_query_features(dataset: Dataset) -> list[tuple[str, Feature]]:
    """Context and user features of a query by input name."""
    context = [(timeline.name_context(n), f) for n, f in dataset.features.context.items()]
    return context + [(timeline.name_user_feature(n), f) for n, f in dataset.features.users.items()]


def is_missing(values: tf.Tensor) -> tf.Tensor:
    """[...] bool: NaN means a missing number, 0 a missing timestamp."""
    return tf.math.is_nan(values) if values.dtype.is_floating else values == 0


def _build_input_spec(feature: Feature) -> tf.TensorSpec:
    shape = [None, None] if feature.kind == "set" else [None]
    if feature.kind == "vector":
        return tf.TensorSpec([None, feature.size], tf.float32)
    dtype = {"number": tf.float32, "timestamp": tf.int64}.get(feature.kind, tf.string)
    return tf.TensorSpec(shape, dtype)


def save_query_model(module: QueryModule, batch: dict[str, np.ndarray], path: str) -> None:
    """Writes the SavedModel to `path`. `batch` is any training batch; it determines the ranks of
    the inputs of `positions`.
    """
    specs = {k: tf.TensorSpec([None] * v.ndim, v.dtype, name=k) for k, v in batch.items()}
    module.positions = tf.function(module.encode, input_signature=[specs], autograph=False)
    module.query = tf.function(
        module.encode_query, input_signature=[module.input_signature()], autograph=False
    )
    serve = module.query.get_concrete_function()
    module.track_tower()
    tf.saved_model.save(module, path, signatures={signatures.SERVING_DEFAULT: serve})


class CandidateModule(tf.Module):
    """`vectors`: items as written by ingestion -> their vectors, without popularity.

    An item without training interactions, such as a new one, gets the vector of its content.
    """

    def __init__(self, tower: CandidateTower, dataset: Dataset, graph: tft.TFTransformOutput):
        """`graph` is the items' Transform."""
        super().__init__()
        # A Keras object in the module would have each of its layers traced and saved on its own.
        self._tower = lambda index, content: tower.encode_content(index, content, training=False)
        self._tower_variables = tower.variables
        self._raw = graph.raw_feature_spec()
        self._transform = graph.transform_features_layer()
        self._features = {name: timeline.name_item_feature(name) for name in dataset.features.items}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name="examples")], autograph=False
    )
    def vectors(self, examples: tf.Tensor) -> tf.Tensor:
        """Serialized tf.train.Examples [b] -> [b, dim], each of length 1."""
        numbers = self._transform(tf.io.parse_example(examples, self._raw))
        content = {name: _build_dense(numbers[key]) for name, key in self._features.items()}
        index = tf.cast(numbers["item_index"], tf.int32)
        return tf.cast(self._tower(index, content), tf.float32)


def _build_dense(values: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
    """As `trainer.data.transformed_examples.build_dense`, for one batch of tensors."""
    values = values.to_tensor() if isinstance(values, tf.RaggedTensor) else values
    return tf.cast(values, tf.int32) if values.dtype.is_integer else values


def save_candidate_model(module: CandidateModule, path: str) -> None:
    """Writes the SavedModel."""
    module.vectors.get_concrete_function()
    tf.saved_model.save(module, path)


def encode_queries(
    encode: Encode, queries: EvaluationQueries, length: int, most: int | None = None
) -> np.ndarray:
    """[q, dim + 1] vectors of the evaluation queries.

    Args:
        encode: `positions` of a query model, or its `encode`.
        queries: the evaluation queries.
        length: history events per query.
        most: encodes only the first queries, at most this many; None for all.
    """
    users = len(queries) if most is None else min(most, len(queries))
    return np.concatenate(
        [
            encode({name: tf.constant(values) for name, values in batch.items()})[:, -1].numpy()
            for batch in (queries.batch(part, length) for part in iterate_blocks(users))
        ]
    )
