"""Replays the warmup requests stored in a SavedModel before it serves.

The file is TensorFlow Serving's, a TFRecord of PredictionLog with at most 1000 records. Source of
the rules: its servables/tensorflow/saved_model_warmup.cc and saved_model_warmup_util.cc.
"""

import pathlib
from collections.abc import Iterator

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.config import RequestLimits
from serving.graph.warmup_requests import WARMUP_FILE
from serving.protocol.errors import RequestError, invalid_argument
from serving.protocol.limits import DEFAULT_LIMITS
from serving.server.grpc_predict import run_predict
from serving.server.metrics import Metrics
from serving.server.servable import Servable

_MAX_RECORDS = 1000


def replay(
    servable: Servable,
    folder: pathlib.Path,
    metrics: Metrics,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> int:
    """Runs the warmup requests of a servable.

    Args:
        servable: Servable loaded from `folder`.
        folder: Folder of its SavedModel.
        metrics: Records the warmup.
        limits: Limits of each request.

    Returns:
        Number of records, 0 without a file.

    Raises:
        RequestError: With the code of a request that fails, INVALID_ARGUMENT for an invalid
            PredictionLog or too many records, UNIMPLEMENTED for another API than Predict, DATA_LOSS
            if the file is not a TFRecord.
    """
    path = folder / WARMUP_FILE
    if not path.is_file():
        return 0
    with metrics.warmup(folder) as records:
        for log in _read_logs(path):
            records.append(None)
            if len(records) > _MAX_RECORDS:
                raise invalid_argument(
                    f"Number of warmup records exceeds the maximum ({_MAX_RECORDS}) at {path}"
                )
            what = f"warmup record {len(records)} of {path}"
            request = _get_predict_request(log, what)
            if request is not None:
                _answer(servable, request, what, metrics, limits)
    return len(records)


def _read_logs(path: pathlib.Path) -> Iterator[prediction_log_pb2.PredictionLog]:
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            yield prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        raise invalid_argument(f"Failed to parse warmup record from {path}: {error}") from error
    except tf.errors.DataLossError as error:
        raise RequestError(
            grpc.StatusCode.DATA_LOSS,
            f"{error.message}. Please verify your warmup data is in TFRecord format.",
        ) from error


def _get_predict_request(
    log: prediction_log_pb2.PredictionLog, what: str
) -> predict_pb2.PredictRequest | None:
    kind = log.WhichOneof("log_type")
    if kind is None:  # TensorFlow Serving skips an empty log
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
            run_predict(servable, request, limits)
    except RequestError as error:
        raise RequestError(error.code, f"{what}: {error}") from error
