"""Defaults of the optional inputs of a servable, stored in its SignatureDef.

TensorFlow Serving applies `SignatureDef.defaults` in Predict over gRPC. A default applies to every
row: its leading dimension is 1, and the servables broadcast such inputs over the batch.
"""

import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from schema import signatures

_K = 10
_ABSENT = {tf.string: b"", tf.float32: np.nan, tf.int64: 0}
_REQUIRED = (signatures.CANDIDATE_ITEM_IDS,)

Defaults = dict[str, np.ndarray]


def build_defaults(specs: Mapping[str, tf.TensorSpec], diversity: float = 0.0) -> Defaults:
    """Builds the default of each input but `candidate_item_ids`, which is required.

    Lists are empty. `k` is 10, and `diversity` as given. Other inputs are missing: "", NaN, or 0,
    which for `now` selects the server's clock.
    """
    defaults = {name: _absent(spec) for name, spec in specs.items() if name not in _REQUIRED}
    values = {
        signatures.K: np.array([_K], np.int32),
        signatures.DIVERSITY: np.array([diversity], np.float32),
    }
    return defaults | {name: value for name, value in values.items() if name in specs}


def _absent(spec: tf.TensorSpec) -> np.ndarray:
    shape = [1, *(size or 0 for size in spec.shape[1:])]
    return np.full(shape, _ABSENT.get(spec.dtype, 0), spec.dtype.as_numpy_dtype)


def write(folder: pathlib.Path, defaults: Defaults) -> None:
    """Writes the defaults to `serving_default` of the SavedModel in `folder`.

    TensorFlow itself only writes the default arguments of a function, which a function of one
    dictionary does not have.
    """
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for meta_graph in saved.meta_graphs:
        signature = meta_graph.signature_def[signatures.SERVING_DEFAULT]
        for name, value in defaults.items():
            dtype = tf.dtypes.as_dtype(signature.inputs[name].dtype)
            signature.defaults[name].CopyFrom(tf.make_tensor_proto(value, dtype))
    path.write_bytes(saved.SerializeToString(deterministic=True))


def read(signature: meta_graph_pb2.SignatureDef) -> Defaults:
    """The defaults of a signature, by input."""
    return {name: tf.make_ndarray(proto) for name, proto in signature.defaults.items()}
