"""The same requests for every server: plain values, and the form in which each server gets them."""

import json
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

PREDICT = "/tensorflow.serving.PredictionService/Predict"
_NOW = 1_720_000_000
_HOUR = 3600


def draw_requests(item_ids: list[str], count: int, length: int, seed: int) -> list[dict[str, Any]]:
    """`count` users with histories of 1 to `length` items each, one per hour until now; k = 10."""
    rng = np.random.default_rng(seed)
    results = []
    for number in range(count):
        size = int(rng.integers(1, length + 1))
        history = [item_ids[n] for n in rng.integers(0, len(item_ids), size)]
        times = [_NOW - _HOUR * (size - n) for n in range(size)]
        results.append(
            {
                "user_id": f"u{number}",
                "history_item_ids": history,
                "history_timestamps": times,
                "now": _NOW,
                "k": 10,
            }
        )
    return results


def arrays(query: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arguments of a call in this process."""
    kinds = {"now": np.int64, "history_timestamps": np.int64, "k": np.int32}
    return {name: np.array([value], kinds.get(name, object)) for name, value in query.items()}


def message(query: dict[str, Any]) -> predict_pb2.PredictRequest:
    """The message for gRPC."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "recommender"
    for name, array in arrays(query).items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def body(query: dict[str, Any]) -> str:
    """The body for REST."""
    return json.dumps({"instances": [query]})
