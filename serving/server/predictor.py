"""The path from a request's inputs to its outputs, shared by gRPC and REST."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence

import grpc
import numpy as np

from serving.config import RequestLimits
from serving.protocol.errors import RequestError
from serving.protocol.limits import DEFAULT_LIMITS, check_list_sizes
from serving.server import request_log
from serving.server.batching import BatchQueue
from serving.server.metrics import Metrics
from serving.server.request_log import RequestLog
from serving.server.servable import Outputs, Servable


class Predictor:
    """Queues, runs, measures and logs requests; on one event loop."""

    def __init__(
        self,
        queue: BatchQueue,
        metrics: Metrics,
        log: RequestLog | None,
        limits: RequestLimits = DEFAULT_LIMITS,
    ) -> None:
        """Call it on the event loop of the server.

        Args:
            queue: Queue that runs the calls.
            metrics: Metrics of the server.
            log: Log of requests, None to disable it.
            limits: Limits of one request.
        """
        self.limits = limits
        self._queue = queue
        self._metrics = metrics
        self._log = log
        self._in_progress = 0
        self._draining = False
        self._drained = asyncio.Event()

    def request_id(self, given: str | None) -> str | None:
        """Id of a request in the log; None without a log."""
        return None if self._log is None else request_log.choose_request_id(given)

    async def answer(
        self,
        servable: Servable,
        signature_name: str,
        inputs: Mapping[str, np.ndarray],
        output_filter: Sequence[str],
        deadline: float,
        request: str | None,
    ) -> Outputs:
        """Runs one request.

        Args:
            servable: Servable to call.
            signature_name: Name of the signature, "" for `serving_default`.
            inputs: Arrays by input name; those with a default may be omitted.
            output_filter: Names of the outputs, empty for all.
            deadline: Latest start in seconds of `time.monotonic`.
            request: Id of the request in the log, from `request_id`.

        Returns:
            Arrays by output name.

        Raises:
            RequestError: An error of `Servable.predict` or `BatchQueue.run`, or UNAVAILABLE if the
                server is shutting down.
        """
        self._reject_if_draining()
        with self.track_request():
            call = servable.call(signature_name, inputs, output_filter)
            signature = servable.signature_def(signature_name)
            check_list_sizes(self.limits, signature, call.inputs, servable.items)
            with self._metrics.runtime(servable.name):
                outputs = await self._queue.run(servable, call, deadline)
            if self._log is not None and request is not None:
                self._log.record(servable, request, call, outputs)
            return outputs

    async def drain(self, seconds: float) -> None:
        """Rejects new requests; returns when those in progress have ended, or after `seconds`."""
        self._draining = True
        if self._in_progress:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._drained.wait(), seconds)

    @contextlib.contextmanager
    def track_request(self) -> Iterator[None]:
        """Counts the block as a request in progress, for which `drain` waits."""
        self._in_progress += 1
        try:
            yield
        finally:
            self._in_progress -= 1
            if self._draining and not self._in_progress:
                self._drained.set()

    def _reject_if_draining(self) -> None:
        if self._draining:
            raise RequestError(
                grpc.StatusCode.UNAVAILABLE, "the server is shutting down; retry on another one"
            )
