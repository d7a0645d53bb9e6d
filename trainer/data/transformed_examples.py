"""Readers for the outputs of the two Transforms."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

_ROWS = 2048


def read_batches(uri: str, split: str, graph: tft.TFTransformOutput) -> Iterator[dict[str, Any]]:
    """Parsed batches of one split of a TransformedExamples artifact, in order of file names.

    Values are tensors, or ragged tensors for features of variable length.
    """
    files = sorted(tf.io.gfile.glob(f"{uri}/Split-{split}/*"))
    spec = graph.transformed_feature_spec()
    dataset = tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_ROWS)
    yield from dataset.map(lambda rows: tf.io.parse_example(rows, spec))


def pad_ragged(ragged: list[tf.RaggedTensor]) -> np.ndarray:
    """Ragged batches of indices -> one [rows, longest] int32 array, 0 where a row is shorter."""
    longest = max((int(batch.bounding_shape()[1]) for batch in ragged), default=0)
    return np.concatenate(
        [batch.to_tensor(0, shape=[None, max(longest, 1)]).numpy() for batch in ragged]
    ).astype(np.int32)


def build_dense(batches_: list[object]) -> np.ndarray:
    """Dense or ragged batches of one feature -> one array: indices int32, numbers float32."""
    if isinstance(batches_[0], tf.RaggedTensor):
        return pad_ragged(batches_)  # type: ignore[arg-type]
    joined = np.concatenate([np.asarray(batch) for batch in batches_])
    return joined.astype(np.int32) if joined.dtype.kind == "i" else joined
