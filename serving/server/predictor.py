"""The one way from a request's inputs to its outputs, for gRPC and REST alike."""

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
    """Waits for a turn, runs, measures, and keeps what the log is to know; on one event loop."""

    def __init__(
        self,
        queue: BatchQueue,
        metrics: Metrics,
        log: RequestLog | None,
        limits: RequestLimits = DEFAULT_LIMITS,
    ) -> None:
        self.limits = limits
        self._queue = queue
        self._metrics = metrics
        self._log = log
        self._under_way = 0
        self._ends = False
        self._drained = asyncio.Event()

    def request_id(self, given: str | None) -> str | None:
        """By which the log knows a request; None where there is no log."""
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
        """As `Servable.predict`, and `BatchQueue.run`; `request` is what `request_id` gave. Raises
        RequestError UNAVAILABLE once the server ends.
        """
        self._refuse_at_the_end()
        with self.begun():
            call = servable.call(signature_name, inputs, output_filter)
            signature = servable.signature_def(signature_name)
            check_list_sizes(self.limits, signature, call.inputs, servable.items)
            with self._metrics.runtime(servable.name):
                outputs = await self._queue.run(servable, call, deadline)
            if self._log is not None and request is not None:
                self._log.record(servable, request, call, outputs)
            return outputs

    async def drain(self, seconds: float) -> None:
        """From now on refuses; returns when what is under way has ended, or after `seconds`."""
        self._ends = True
        if self._under_way:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._drained.wait(), seconds)

    @contextlib.contextmanager
    def begun(self) -> Iterator[None]:
        """The block answers somebody, for whom `drain` waits."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self._ends and not self._under_way:
                self._drained.set()

    def _refuse_at_the_end(self) -> None:
        if self._ends:
            raise RequestError(grpc.StatusCode.UNAVAILABLE, "the server ends; ask another")
