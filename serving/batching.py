"""Where requests wait for their turn, and are joined with others that wait."""

import dataclasses
import threading
import time
from collections.abc import Callable

import grpc
import tensorflow as tf

from serving import joined_requests
from serving.batching_config import Batching
from serving.batching_metrics import BatchingMetrics
from serving.joined_requests import Shape
from serving.request_error import RequestError
from serving.servable import Call, Outputs, Servable

Inputs = dict[str, tf.Tensor]
_RETRY_MS = 50


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who waits for an answer."""

    deadline: float = float("inf")
    """By `time.monotonic`."""
    waits: Callable[[], bool] = lambda: True
    """False once nobody does."""


@dataclasses.dataclass(eq=False)
class _Request:
    """One that waits; its thread leads, or is woken with an answer."""

    alike: tuple[int, str, tuple[str, ...], Shape]
    inputs: Inputs
    rows: int
    caller: Caller
    since: float = dataclasses.field(default_factory=time.monotonic)
    woken: threading.Event = dataclasses.field(default_factory=threading.Event)
    leads: bool = False
    outputs: Outputs | None = None
    error: RequestError | None = None

    def end(self, outputs: Outputs | None, error: RequestError | None = None) -> None:
        self.outputs, self.error = outputs, error
        self.woken.set()


class BatchQueue:
    """Runs signatures, so many calls at a time; requests that wait meanwhile are joined.

    There are no threads of its own: whoever has the turn runs one call for himself and for those
    behind him that fit, and gives the turn to the next.
    """

    def __init__(self, batching: Batching) -> None:
        self._batching = batching
        self._lock = threading.Lock()
        self._waiting: list[_Request] = []
        self._turns = batching.threads
        self.metrics = BatchingMetrics(self.waiting)

    def run(self, servable: Servable, call: Call, caller: Caller) -> Outputs:
        """What `call`, one of the `servable`, answers. Raises RequestError: its own,
        RESOURCE_EXHAUSTED where too many wait, and DEADLINE_EXCEEDED where the turn comes too late.
        """
        alike = (id(servable), *call.asks, joined_requests.shape(call.inputs, self._batching.pad))
        mine = _Request(alike, call.inputs, max(1, joined_requests.rows(call.inputs)), caller)
        self._queue(mine)
        self._wait(mine)
        if mine.leads:
            self._lead(mine, call.run)
        if mine.error is not None:
            raise mine.error
        assert mine.outputs is not None
        return mine.outputs

    def waiting(self) -> int:
        """Rows that wait."""
        with self._lock:
            return sum(request.rows for request in self._waiting)

    def _queue(self, mine: _Request) -> None:
        with self._lock:
            most = self._batching.most_waiting
            if self._waiting and sum(r.rows for r in self._waiting) + mine.rows > most:
                raise RequestError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"The batch scheduling queue is full: {most} rows wait already; ask again "
                    "later",
                    retry_ms=_RETRY_MS,
                )
            self._waiting.append(mine)
            if self._turns:
                self._turns -= 1
                mine.leads = True
                mine.woken.set()

    def _wait(self, mine: _Request) -> None:
        left = mine.caller.deadline - time.monotonic()
        if mine.woken.wait(None if left == float("inf") else max(left, 0.0)):
            return
        with self._lock:
            if mine.leads or mine not in self._waiting:  # its turn came, or somebody runs it
                late = False
            else:
                self._waiting.remove(mine)
                late = True
        if late:
            mine.end(None, _late())
        mine.woken.wait()

    def _lead(self, mine: _Request, run: Callable[[Inputs], Outputs]) -> None:
        """Runs one call, and gives the turn away."""
        batch = [mine]
        try:
            if self._batching.timeout_s and self.waiting() < self._batching.max_batch_size:
                time.sleep(self._batching.timeout_s)
            batch = self._taken(mine)
            self._measure(batch)
            _run(batch, run)
        finally:
            for request in batch:
                if request is not mine and not request.woken.is_set():  # a crash of ours
                    request.end(None, RequestError(grpc.StatusCode.INTERNAL, "the call crashed"))
            self._pass_on(mine)

    def _measure(self, batch: list[_Request]) -> None:
        now = time.monotonic()
        for request in batch:
            self.metrics.queued(now - request.since)
        self.metrics.ran(sum(request.rows for request in batch))

    def _taken(self, mine: _Request) -> list[_Request]:
        """`mine`, and those behind it that can run with it; whoever waits in vain is sent away."""
        batch: list[_Request] = []
        kept: list[_Request] = []
        rows, now = 0, time.monotonic()
        with self._lock:
            for request in self._waiting:
                fits = rows + request.rows <= self._batching.max_batch_size
                if request.caller.deadline <= now or not request.caller.waits():
                    request.end(None, _late())
                elif request is mine or (
                    request.alike == mine.alike and fits and not request.leads
                ):
                    batch.append(request)
                    rows += request.rows
                else:
                    kept.append(request)
            self._waiting = kept
        return batch

    def _pass_on(self, mine: _Request) -> None:
        with self._lock:
            self._waiting = [request for request in self._waiting if request is not mine]
            following = next((request for request in self._waiting if not request.leads), None)
            if following is None:
                self._turns += 1
            else:
                following.leads = True
                following.woken.set()


def _run(batch: list[_Request], run: Callable[[Inputs], Outputs]) -> None:
    """One call for all of them; where it is refused, one for each, for the fault may be one's."""
    if len(batch) > 1:
        requests = [request.inputs for request in batch]
        try:
            parts = joined_requests.parted(run(joined_requests.joined(requests)), requests)
        except RequestError:
            parts = None
        if parts is not None:
            for request, part in zip(batch, parts, strict=True):
                request.end(part)
            return
    for request in batch:
        try:
            request.end(run(request.inputs))
        except RequestError as error:
            request.end(None, error)


def _late() -> RequestError:
    return RequestError(
        grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline has passed before the request's turn"
    )
