"""Declared features, already numbers, as one dense vector; and their standardisation."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from schema.features import Feature

INDEX_KINDS = frozenset({"category", "set", "text"})
_MIN_DEVIATION = 1e-4


@dataclasses.dataclass(frozen=True)
class FeatureSpec:
    """What a layer needs to know about a feature."""

    name: str
    kind: str
    size: int
    """Size of the vocabulary, length of the vector, or 1 for a number."""


def build_feature_specs(
    features: Mapping[str, Feature], field: Callable[[str], str], graph: tft.TFTransformOutput
) -> list[FeatureSpec]:
    """The declared features with their sizes from Transform; `field` maps a feature's name to its
    field, as the functions of `schema.timeline` do.
    """
    return [
        FeatureSpec(name, feature.kind, _read_size(feature, field(name), graph))
        for name, feature in features.items()
    ]


def _read_size(feature: Feature, key: str, graph: tft.TFTransformOutput) -> int:
    if feature.kind in INDEX_KINDS:
        return graph.vocabulary_size_by_name(key)
    return feature.size if feature.kind == "vector" else 1


class FeatureEncoder(tf.keras.layers.Layer):
    """Concatenates an embedding, a mean of embeddings, or the numbers themselves, per feature.

    Input by name: category, number, timestamp [...]; set, text [..., values] with 0 for none;
    vector [..., size]. Output [..., width]; without declared features, one column of zeros, since
    a dense layer over no columns crashes the process inside oneDNN.
    """

    def __init__(self, features: list[FeatureSpec], width: int, **kwargs: Any):
        super().__init__(**kwargs)
        self._features = features
        self._tables = {
            f.name: tf.keras.layers.Embedding(f.size + 1, width, name=f"{f.name}_embedding")
            for f in features
            if f.kind in INDEX_KINDS
        }

    @property
    def tables(self) -> dict[str, tf.keras.layers.Embedding]:
        """Embedding layers by feature, for features with a vocabulary."""
        return dict(self._tables)

    def call(self, inputs: dict[str, tf.Tensor], like: tf.Tensor) -> tf.Tensor:
        """`like` [...] gives the leading shape where no feature is declared."""
        if not self._features:
            return tf.zeros_like(like, tf.float32)[..., tf.newaxis]
        return tf.concat([self._encode(f, inputs[f.name]) for f in self._features], axis=-1)

    def _encode(self, feature: FeatureSpec, values: tf.Tensor) -> tf.Tensor:
        if feature.kind == "category":
            return self._tables[feature.name](values)
        if feature.kind in INDEX_KINDS:
            return average_known(self._tables[feature.name](values), values)
        values = tf.cast(values, tf.float32)
        if feature.kind == "vector":
            # batches have a fixed rank only, and the next layer needs the width
            return tf.ensure_shape(values, [*values.shape[:-1], feature.size])
        return values[..., tf.newaxis]


def average_known(vectors: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """[..., values, width] averaged over the values whose index is not 0 -> [..., width]; 0 for
    none.
    """
    known = tf.cast(indices > 0, vectors.dtype)[..., tf.newaxis]
    return tf.math.divide_no_nan(tf.reduce_sum(vectors * known, -2), tf.reduce_sum(known, -2))


def encode_time_of_week(timestamps: tf.Tensor) -> tf.Tensor:
    """[...] seconds since epoch, UTC -> [..., 4]: sine and cosine of the hour and of the
    weekday.
    """
    angles = [
        tf.cast(timestamps % period, tf.float32) * (2 * np.pi / period)
        for period in (86_400, 604_800)
    ]
    return tf.stack([wave(angle) for angle in angles for wave in (tf.sin, tf.cos)], axis=-1)


class Standardisation(tf.keras.layers.Layer):
    """[m, width] -> [m, width] minus the mean, divided by the standard deviation, of a sample.

    A feature that is constant in the sample is always 0: divided by a deviation near 0, any other
    value would dominate all features.
    """

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the identity, which `adapt` replaces."""
        width = input_shape[-1]
        self._mean = self.add_weight("mean", [width], None, "zeros", trainable=False)
        self._scale = self.add_weight("scale", [width], None, "ones", trainable=False)
        super().build(input_shape)

    def adapt(self, sample: np.ndarray) -> None:
        """Sets mean and deviation to those of `sample` [m, width]."""
        if not self.built:
            self.build(tf.TensorShape(sample.shape))
        mean, deviation = sample.mean(0, np.float64), sample.std(0, dtype=np.float64)
        varied = deviation > _MIN_DEVIATION * (1 + np.abs(mean))
        self._mean.assign(mean)
        self._scale.assign(np.where(varied, 1 / np.where(varied, deviation, 1), 0))

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """See the class."""
        return (values - self._mean) * self._scale
