"""A sample of requests with their answers: a line per recommended item, as ingestion reads it."""

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
"""Of HTTP, and key of gRPC's metadata."""
_COUNTED = ":tandem:serving:request_log_entries"
_MOST_BYTES = 64 * 2**20
_LISTINGS = (signatures.RETRIEVAL, signatures.RECOMMENDER)
_CONTEXT = ("context_", "user_")


def choose_request_id(given: str | None) -> str:
    """The caller's own, where it is 1 to 128 visible ASCII characters; else a new one."""
    return given if given and _SANE.fullmatch(given) else uuid.uuid4().hex


class RequestLog(Collector):
    """Writes `impressions-*.jsonl` in a folder; never blocks and never fails a request. Counts what
    it has written and lost, for Prometheus.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        sample: float = 1.0,
        rotation: Rotation = Rotation(),  # noqa: B008 - frozen
        key: bytes | None = None,
    ) -> None:
        """`sample`: share of requests, chosen by their id, so that a request that is asked again
        is logged each time or never. With `key` user ids become pseudonyms
        (`schema.user_ids`).
        """
        self._lines = RotatingLog(folder, "impressions", rotation)
        self._sample = sample
        self._key = key

    def record(self, servable: Servable, request: str, call: Call, outputs: Outputs) -> None:
        """Takes one answered request with the id `request`; others than lists, and answers
        without all of their outputs, are passed over. Every item's line repeats the whole history:
        what would be too much of that is lost.
        """
        if servable.name not in _LISTINGS or not self._chosen(request):
            return
        if not {signatures.ITEM_IDS, signatures.SCORES, signatures.STAGES} <= outputs.keys():
            return
        items = outputs[signatures.ITEM_IDS]
        repeated = count_tensor_bytes(call.inputs) // max(1, len(items)) * items.size
        if repeated > _MOST_BYTES:
            self._lines.lose()
            return
        about = {"request_id": request, "model": servable.name, "version": servable.version}
        inputs, now, key = call.inputs, int(time.time()), self._key

        def lines() -> bytes:
            found = build_impressions(about, inputs, outputs, now, key)
            return "".join(f"{json.dumps(one, allow_nan=False)}\n" for one in found).encode()

        self._lines.put(lines)

    def collect(self) -> Iterator[Metric]:
        """What was written and lost until now."""
        metric = Metric(_COUNTED, "Answers logged, and lost for want of room.", typ="unknown")
        for state, count in (("written", self._lines.written), ("lost", self._lines.lost)):
            metric.add_sample(_COUNTED, {"state": state}, count)
        yield metric

    def close(self) -> None:
        """Writes what is still to be written."""
        self._lines.close()

    def _chosen(self, request: str) -> bool:
        digest = hashlib.blake2b(request.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self._sample * 2**64


def build_impressions(
    about: Mapping[str, Any], inputs: Arrays, outputs: Arrays, now: int, key: bytes | None
) -> Iterator[dict[str, Any]]:
    """Records of one answered request of `retrieval` or `recommender`, one per item.

    Each has what is `about` the request, `row` of the batch, `user_id`, `item_id`, `position` from
    1, `score`, `stage`, `timestamp` (seconds since epoch, UTC: the request's own, `now` where it
    says none), its `context_<name>` and `user_<name>`, and what it was asked with: `history`,
    `history_timestamps`, `excluded`, `k`. With a `key` a user id is logged as its pseudonym,
    whatever it looks like (`user_ids.hash_user_id`); "" stays.
    """
    for row, items in enumerate(outputs[signatures.ITEM_IDS]):
        asked = _build_request_fields(inputs, row, now, key)
        scores, stages = outputs[signatures.SCORES][row], outputs[signatures.STAGES][row]
        for position, item in enumerate(items):
            if item:
                yield {
                    **about,
                    "row": row,
                    **asked,
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
    """For JSON, which has no NaN."""
    if isinstance(value, np.ndarray):
        return [_to_json_value(one) for one in value if one != b""]
    if isinstance(value, bytes):
        return _decode(value)
    number = value.item()
    return None if number != number else number


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "replace")
