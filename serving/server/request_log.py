"""Logs a sample of requests and responses: one line per recommended item, as ingestion reads it."""

import hashlib
import json
import pathlib
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schema import signatures
from schema.user_ids import hash_user_id
from serving.graph.saved_models import Arrays
from serving.protocol.limits import count_tensor_bytes
from serving.server.rotating_log import RotatingLog, Rotation
from serving.server.servable import Call, Outputs, Servable

_SANE = re.compile(r"[!-~]{1,128}")
REQUEST_ID_HEADER = "x-request-id"
"""HTTP header, and key of the gRPC metadata."""
_COUNTED = ":tandem:serving:request_log_entries"
_MOST_BYTES = 64 * 2**20
_LISTINGS = (signatures.RETRIEVAL, signatures.RECOMMENDER)
_CONTEXT = ("context_", "user_")


def choose_request_id(given: str | None) -> str:
    """Returns the client's id if it has 1 to 128 visible ASCII characters, else a new one."""
    return given if given and _SANE.fullmatch(given) else uuid.uuid4().hex


class RequestLog(Collector):
    """Writes `impressions-*.jsonl` in a folder; never blocks or fails a request. Counts written and
    lost entries for Prometheus.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        sample: float = 1.0,
        rotation: Rotation = Rotation(),  # noqa: B008 - frozen
        key: bytes | None = None,
    ) -> None:
        """Starts the thread that writes the log.

        Args:
            folder: Folder of the files.
            sample: Fraction of requests to log. The choice depends on the request's id, so that a
                retried request is logged each time or never.
            rotation: Size and number of files.
            key: If given, user ids are replaced by pseudonyms (`schema.user_ids`).
        """
        self._lines = RotatingLog(folder, "impressions", rotation)
        self._sample = sample
        self._key = key

    def record(self, servable: Servable, request: str, call: Call, outputs: Outputs) -> None:
        """Queues one completed request for writing.

        Requests other than lists, and filtered outputs without items, scores or stages, are
        skipped. Each item's line repeats the whole history: a request whose lines would be too
        large is counted as lost.

        Args:
            servable: Servable that was called.
            request: Id of the request.
            call: The call with its inputs.
            outputs: Its outputs.
        """
        if servable.name not in _LISTINGS or not self._chosen(request):
            return
        if not {signatures.ITEM_IDS, signatures.SCORES, signatures.STAGES} <= outputs.keys():
            return
        items = outputs[signatures.ITEM_IDS]
        repeated = count_tensor_bytes(call.inputs) // max(1, len(items)) * items.size
        if repeated > _MOST_BYTES:
            self._lines.count_lost()
            return
        about = {"request_id": request, "model": servable.name, "version": servable.version}
        inputs, now, key = call.inputs, int(time.time()), self._key

        def lines() -> bytes:
            records = build_impressions(about, inputs, outputs, now, key)
            return "".join(f"{json.dumps(one, allow_nan=False)}\n" for one in records).encode()

        self._lines.put(lines)

    def collect(self) -> Iterator[Metric]:
        """Numbers of written and lost entries."""
        metric = Metric(_COUNTED, "Responses logged, and lost for lack of space.", typ="unknown")
        for state, count in (("written", self._lines.written), ("lost", self._lines.lost)):
            metric.add_sample(_COUNTED, {"state": state}, count)
        yield metric

    def close(self) -> None:
        """Writes all queued entries and closes the file."""
        self._lines.close()

    def _chosen(self, request: str) -> bool:
        digest = hashlib.blake2b(request.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self._sample * 2**64


def build_impressions(
    about: Mapping[str, Any], inputs: Arrays, outputs: Arrays, now: int, key: bytes | None
) -> Iterator[dict[str, Any]]:
    """Builds the records of one request to `retrieval` or `recommender`, one per item.

    A record has the fields of `about`, `row` of the batch, `user_id`, `item_id`, `position` from 1,
    `score`, `stage`, `timestamp` (seconds since epoch, UTC), the features `context_<name>` and
    `user_<name>`, and the other inputs: `history`, `history_timestamps`, `excluded`, `k`.

    Args:
        about: Fields that all records share.
        inputs: Inputs of the call.
        outputs: Its outputs.
        now: Timestamp of requests without their own, seconds since epoch, UTC.
        key: If given, each user id but "" is replaced by its pseudonym (`user_ids.hash_user_id`).
    """
    for row, items in enumerate(outputs[signatures.ITEM_IDS]):
        fields = _build_request_fields(inputs, row, now, key)
        scores, stages = outputs[signatures.SCORES][row], outputs[signatures.STAGES][row]
        for position, item in enumerate(items):
            if item:
                yield {
                    **about,
                    "row": row,
                    **fields,
                    "item_id": _decode(item),
                    "position": position + 1,
                    "score": float(scores[position]),
                    "stage": _decode(stages[position]),
                }


def _build_request_fields(inputs: Arrays, row: int, now: int, key: bytes | None) -> dict[str, Any]:
    values = {name: value[min(row, len(value) - 1)] for name, value in inputs.items()}
    features = {
        name: _to_json_value(value)
        for name, value in values.items()
        if name.startswith(_CONTEXT) and name != signatures.USER_ID
    }
    return {
        "user_id": _pseudonymize(_decode(values[signatures.USER_ID]), key),
        "timestamp": int(values[signatures.NOW]) or now,
        **{name: value for name, value in features.items() if value not in (None, "", [])},
        "k": int(values[signatures.K]),
        "history": _to_json_value(values[signatures.HISTORY_ITEM_IDS]),
        "history_timestamps": _to_json_value(values[signatures.HISTORY_TIMESTAMPS]),
        "excluded": _to_json_value(values[signatures.EXCLUDED_ITEM_IDS]),
    }


def _pseudonymize(user_id: str, key: bytes | None) -> str:
    return hash_user_id(user_id, key) if key is not None and user_id else user_id


def _to_json_value(value: Any) -> Any:
    """Converts a value to JSON; NaN becomes None."""
    if isinstance(value, np.ndarray):
        return [_to_json_value(one) for one in value if one != b""]
    if isinstance(value, bytes):
        return _decode(value)
    number = value.item()
    return None if number != number else number


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "replace")
