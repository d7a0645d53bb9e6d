"""The candidate tower as a SavedModel: an item's raw features in, its vector out."""

import tensorflow as tf
import tensorflow_transform as tft

from schema import timeline
from schema.dataset import Dataset
from trainer.retrieval.towers import CandidateTower


class CandidateModule(tf.Module):
    """`vectors`: items as ingestion writes them -> their vectors, without popularity.

    An item that training has not taken, a new one above all, has the vector of its content.
    """

    def __init__(self, tower: CandidateTower, dataset: Dataset, graph: tft.TFTransformOutput):
        """`graph` is the items' Transform."""
        super().__init__()
        # A Keras object in the module would have each of its layers traced and saved on its own.
        self._tower = lambda index, content: tower.of_content(index, content, training=False)
        self._tower_variables = tower.variables
        self._raw = graph.raw_feature_spec()
        self._transform = graph.transform_features_layer()
        self._features = {name: timeline.name_item_feature(name) for name in dataset.features.items}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def vectors(self, examples: tf.Tensor) -> tf.Tensor:
        """Serialized tf.train.Examples [b] -> [b, dim], each of length 1."""
        numbers = self._transform(tf.io.parse_example(examples, self._raw))
        content = {name: _dense(numbers[key]) for name, key in self._features.items()}
        index = tf.cast(numbers["item_index"], tf.int32)
        return tf.cast(self._tower(index, content), tf.float32)


def _dense(values: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
    """As `trainer.data.transformed_examples.dense` makes it of the catalogue."""
    values = values.to_tensor() if isinstance(values, tf.RaggedTensor) else values
    return tf.cast(values, tf.int32) if values.dtype.is_integer else values


def save(module: CandidateModule, path: str) -> None:
    """Writes the SavedModel."""
    module.vectors.get_concrete_function()
    tf.saved_model.save(module, path)
