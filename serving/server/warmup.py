"""Requests that lie beside a SavedModel, and are answered once before it serves.

The file is TensorFlow Serving's: `assets.extra/tf_serving_warmup_requests`, a TFRecord of
PredictionLog with at most 1000 records. Source of the rules: servables/tensorflow/
saved_model_warmup.cc and saved_model_warmup_util.cc there.
"""

import pathlib
from collections.abc import Iterable, Iterator

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.config import RequestLimits
from serving.protocol import limits
from serving.protocol.errors import RequestError, invalid
from serving.server import grpc_predict
from serving.server.metrics import Metrics
from serving.server.servable import Servable

_FILE = "assets.extra/tf_serving_warmup_requests"
_MOST_RECORDS = 1000


def write(folder: pathlib.Path, requests: Iterable[predict_pb2.PredictRequest]) -> None:
    """Has the SavedModel in `folder` answer `requests`, in this order, whenever it is loaded."""
    path = folder / _FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString())


def replay(
    servable: Servable,
    folder: pathlib.Path,
    metrics: Metrics,
    limits: RequestLimits = limits.DEFAULTS,
) -> int:
    """Has the servable loaded from `folder` answer its requests; how many there were, 0 without a
    file.

    Raises RequestError: with the request's own code where one is refused, INVALID_ARGUMENT for a
    record that is no PredictionLog or one too many, UNIMPLEMENTED for a log of another API than
    Predict, DATA_LOSS for a file that is no TFRecord.
    """
    path = folder / _FILE
    if not path.is_file():
        return 0
    with metrics.warmup(folder) as records:
        for log in _logs(path):
            records.append(None)
            if len(records) > _MOST_RECORDS:
                raise invalid(
                    f"Number of warmup records exceeds the maximum ({_MOST_RECORDS}) at {path}"
                )
            what = f"warmup record {len(records)} of {path}"
            kept = _predict_request(log, what)
            if kept is not None:
                _answer(servable, kept, what, metrics, limits)
    return len(records)


def _logs(path: pathlib.Path) -> Iterator[prediction_log_pb2.PredictionLog]:
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            yield prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        raise invalid(f"Failed to parse warmup record from {path}: {error}") from error
    except tf.errors.DataLossError as error:
        raise RequestError(
            grpc.StatusCode.DATA_LOSS,
            f"{error.message}. Please verify your warmup data is in TFRecord format.",
        ) from error


def _predict_request(
    log: prediction_log_pb2.PredictionLog, what: str
) -> predict_pb2.PredictRequest | None:
    kind = log.WhichOneof("log_type")
    if kind is None:  # TensorFlow Serving passes over an empty log
        return None
    if kind != "predict_log":
        raise RequestError(
            grpc.StatusCode.UNIMPLEMENTED, f"Unsupported log_type for {what}: {kind}"
        )
    return log.predict_log.request


def _answer(
    servable: Servable,
    request: predict_pb2.PredictRequest,
    what: str,
    metrics: Metrics,
    limits: RequestLimits,
) -> None:
    try:
        with metrics.runtime(servable.name):
            grpc_predict.predict_with(servable, request, limits)
    except RequestError as error:
        raise RequestError(error.code, f"{what}: {error}") from error
