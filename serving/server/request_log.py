"""A sample of requests with what they were answered, as lines that ingestion reads."""

import hashlib
import json
import pathlib
import re
import time
import uuid
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schema import signatures
from serving import impressions
from serving.protocol import limits
from serving.server.rotating_log import RotatedLog, Rotation
from serving.server.servable import Call, Outputs, Servable

_SANE = re.compile(r"[!-~]{1,128}")
HEADER = "x-request-id"
"""Of HTTP, and key of gRPC's metadata."""
_COUNTED = ":tandem:serving:request_log_entries"
_MOST_BYTES = 64 * 2**20
_LISTINGS = (signatures.RETRIEVAL, signatures.RECOMMENDER)


def request_id(given: str | None) -> str:
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
        self._lines = RotatedLog(folder, "impressions", rotation)
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
        repeated = limits.waiting_bytes(call.inputs) // max(1, len(items)) * items.size
        if repeated > _MOST_BYTES:
            self._lines.lose()
            return
        about = {"request_id": request, "model": servable.name, "version": servable.version}
        inputs, now, key = call.inputs, int(time.time()), self._key

        def lines() -> bytes:
            found = impressions.of(about, inputs, outputs, now, key)
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
