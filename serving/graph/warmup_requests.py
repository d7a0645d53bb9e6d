"""Warmup requests of the servables (a new user, and users with short and long histories), and the
file in a SavedModel that stores them.
"""

import pathlib
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from schema import signatures

_HISTORY_LENGTHS = (0, 1, 10, 50)
_K = 10
_DIVERSITY = 0.5
_HOUR = 3600
_CANDIDATES = 100
WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
"""Path in a SavedModel's folder, as in TensorFlow Serving: a TFRecord of PredictionLog."""


def build_warmup_requests(
    name: str, specs: Mapping[str, tf.TensorSpec], item_ids: pa.Array, now: int
) -> list[predict_pb2.PredictRequest]:
    """Builds a minimal request and one request per history length.

    The minimal request omits all optional inputs but `now`, since the clock cannot be read in a
    process with deterministic ops. History lengths above the size of the catalogue are left out.
    Histories are spread over the catalogue, with one item an hour until `now`. Features are
    omitted, as for a new user.

    Args:
        name: Name of the servable.
        specs: Its inputs.
        item_ids: Ids of the catalogue [n], large_binary.
        now: Time of the requests, seconds since epoch, UTC.
    """
    lengths = [length for length in _HISTORY_LENGTHS if length <= len(item_ids)]
    needed = (signatures.NOW, signatures.CANDIDATE_ITEM_IDS)
    minimal = [alias for alias in specs if alias in needed]
    return [_build_request(name, minimal, item_ids, 0, now)] + [
        _build_request(name, list(specs), item_ids, length, now) for length in lengths
    ]


def _build_request(
    name: str, aliases: list[str], item_ids: pa.Array, length: int, now: int
) -> predict_pb2.PredictRequest:
    """Builds a request with only the inputs in `aliases`."""
    history = [
        (item, now - _HOUR * (length - position))
        for position, item in enumerate(_sample_items(item_ids, length))
    ]
    candidates = _sample_items(item_ids, min(len(item_ids), _CANDIDATES))
    inputs = {
        signatures.USER_ID: np.array([b""], object),
        signatures.HISTORY_ITEM_IDS: np.array([[item for item, _ in history]], object),
        signatures.HISTORY_TIMESTAMPS: np.array([[at for _, at in history]], np.int64),
        signatures.NOW: np.array([now], np.int64),
        signatures.EXCLUDED_ITEM_IDS: np.array([[]], object),
        signatures.K: np.array([_K], np.int32),
        signatures.DIVERSITY: np.array([_DIVERSITY], np.float32),
        signatures.CANDIDATE_ITEM_IDS: np.array([candidates], object),
    }
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    for alias in set(aliases) & set(inputs):
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(inputs[alias]))
    return request


def _sample_items(item_ids: pa.Array, count: int) -> list[bytes]:
    positions = np.linspace(0, len(item_ids) - 1, count).astype(np.int64)
    return [item_ids[int(position)].as_py() for position in positions]


def write_warmup_requests(
    folder: pathlib.Path, requests: Iterable[predict_pb2.PredictRequest]
) -> None:
    """Writes the requests that servers replay in this order when they load the SavedModel."""
    path = folder / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString())
