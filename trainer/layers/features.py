"""Declared features, already numbers, into one dense vector."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from schema.features import Feature

INDEX_KINDS = frozenset({"category", "set", "text"})


@dataclasses.dataclass(frozen=True)
class EncodedFeature:
    """One feature as a layer must know it."""

    name: str
    kind: str
    size: int
    """Values of the vocabulary, or length of the vector, or 1."""


def encoded(
    features: Mapping[str, Feature], field: Callable[[str], str], graph: tft.TFTransformOutput
) -> list[EncodedFeature]:
    """The declared features with the sizes that Transform found; `field` as in
    `schema.timeline`.
    """
    return [
        EncodedFeature(name, feature.kind, _size(feature, field(name), graph))
        for name, feature in features.items()
    ]


def _size(feature: Feature, key: str, graph: tft.TFTransformOutput) -> int:
    if feature.kind in INDEX_KINDS:
        return graph.vocabulary_size_by_name(key)
    return feature.size if feature.kind == "vector" else 1


class FeatureEncoder(tf.keras.layers.Layer):
    """Concatenates an embedding, a mean of embeddings, or the numbers themselves, per feature.

    Input by name: category, number, timestamp [...]; set, text [..., values] with 0 for none;
    vector [..., size]. Output [..., width]; nothing declared gives one column of zeros, for a dense
    layer over no column at all ends the process inside oneDNN.
    """

    def __init__(self, features: list[EncodedFeature], width: int, **kwargs: Any):
        super().__init__(**kwargs)
        self._features = features
        self._tables = {
            f.name: tf.keras.layers.Embedding(f.size + 1, width, name=f"{f.name}_embedding")
            for f in features
            if f.kind in INDEX_KINDS
        }

    @property
    def tables(self) -> dict[str, tf.keras.layers.Embedding]:
        """By feature, of those that have a vocabulary."""
        return dict(self._tables)

    def call(self, inputs: dict[str, tf.Tensor], like: tf.Tensor) -> tf.Tensor:
        """`like` [...] gives the leading shape where no feature is declared."""
        if not self._features:
            return tf.zeros_like(like, tf.float32)[..., tf.newaxis]
        return tf.concat([self._encode(f, inputs[f.name]) for f in self._features], axis=-1)

    def _encode(self, feature: EncodedFeature, values: tf.Tensor) -> tf.Tensor:
        if feature.kind == "category":
            return self._tables[feature.name](values)
        if feature.kind in INDEX_KINDS:
            return mean_of_known(self._tables[feature.name](values), values)
        values = tf.cast(values, tf.float32)
        if feature.kind == "vector":
            # batches fix ranks alone, and the layer above must know its width
            return tf.ensure_shape(values, [*values.shape[:-1], feature.size])
        return values[..., tf.newaxis]


def mean_of_known(vectors: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """[..., values, width] averaged over the values whose index is not 0 -> [..., width]; 0 for
    none.
    """
    known = tf.cast(indices > 0, vectors.dtype)[..., tf.newaxis]
    return tf.math.divide_no_nan(tf.reduce_sum(vectors * known, -2), tf.reduce_sum(known, -2))


def time_of_week(timestamps: tf.Tensor) -> tf.Tensor:
    """[...] seconds since epoch, UTC -> [..., 4]: sine and cosine of the hour and of the
    weekday.
    """
    angles = [
        tf.cast(timestamps % period, tf.float32) * (2 * np.pi / period)
        for period in (86_400, 604_800)
    ]
    return tf.stack([wave(angle) for angle in angles for wave in (tf.sin, tf.cos)], axis=-1)
