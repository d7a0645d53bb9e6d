"""Queue in which requests wait for a free thread, and are joined into batches."""

import asyncio
import dataclasses
import time
from concurrent import futures

import grpc

from serving.graph.saved_models import Arrays
from serving.protocol.errors import RequestError
from serving.protocol.limits import count_tensor_bytes
from serving.server.batch_join import (
    JoinKey,
    compute_join_key,
    count_rows,
    join_requests,
    split_outputs,
)
from serving.server.batching_config import BatchingConfig
from serving.server.metrics import BatchingMetrics
from serving.server.servable import Call, Outputs, Servable

_RETRY_MS = 50
_FOREVER = float("inf")
Answer = Outputs | RequestError


@dataclasses.dataclass(eq=False)
class _Request:
    """A request that waits or runs."""

    join_key: tuple[int, str, tuple[str, ...], JoinKey | None]
    call: Call
    rows: int
    size_bytes: int
    answer: "asyncio.Future[Outputs]"
    deadline: float
    since: float = dataclasses.field(default_factory=time.monotonic)

    def end(self, answer: Outputs | BaseException) -> None:
        if self.answer.done():  # the caller has cancelled
            return
        if isinstance(answer, BaseException):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class BatchQueue:
    """Runs signatures with a limited number of concurrent calls; waiting requests are joined.

    It belongs to one event loop, on which everything but the calls runs; these have their own
    threads. So no lock is needed, and a request changes the thread only when its call begins.
    """

    def __init__(self, batching: BatchingConfig, most_waiting_bytes: int = 2**30) -> None:
        """`most_waiting_bytes`: limit on the size of the inputs of all waiting requests."""
        self._batching = batching
        self._most_waiting_bytes = most_waiting_bytes
        self._waiting: list[_Request] = []
        self._free_threads = batching.threads
        self._timer: asyncio.TimerHandle | None = None
        self._threads = futures.ThreadPoolExecutor(batching.threads, thread_name_prefix="calls")
        self.metrics = BatchingMetrics(self.waiting)

    async def run(self, servable: Servable, call: Call, deadline: float = _FOREVER) -> Outputs:
        """Runs a call, alone or joined with others; not run if its task is cancelled while it
        waits.

        Args:
            servable: Servable to which the call belongs.
            call: Call to run.
            deadline: Latest time at which it may start, in seconds of `time.monotonic`.

        Returns:
            The outputs of the call.

        Raises:
            RequestError: The call's own error, RESOURCE_EXHAUSTED if too many requests wait, or
                DEADLINE_EXCEEDED if it could not start in time.
        """
        loop = asyncio.get_running_loop()
        join_key = (
            id(servable),
            *call.signature_and_outputs,
            compute_join_key(call.inputs, self._batching.pad),
        )
        rows = max(1, count_rows(call.inputs))
        size_bytes = count_tensor_bytes(call.inputs)
        request = _Request(join_key, call, rows, size_bytes, loop.create_future(), deadline)
        self._admit(request)
        late = None if deadline == _FOREVER else loop.call_at(deadline, self._expire, request)
        self._begin(loop)
        try:
            return await request.answer
        finally:
            if late is not None:
                late.cancel()
            self._forget(request)

    def waiting(self) -> int:
        """Number of waiting rows."""
        return sum(request.rows for request in self._waiting)

    def close(self) -> None:
        """Stops the threads without waiting for calls in progress."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _admit(self, request: _Request) -> None:
        most = self._batching.most_waiting
        if self._waiting and self.waiting() + request.rows > most:
            raise _build_full_error(f"{most} rows")
        waiting_bytes = sum(other.size_bytes for other in self._waiting)
        if self._waiting and waiting_bytes + request.size_bytes > self._most_waiting_bytes:
            raise _build_full_error(f"{waiting_bytes} bytes")
        self._waiting.append(request)

    def _expire(self, request: _Request) -> None:
        if request in self._waiting:
            self._waiting.remove(request)
            request.end(_build_late_error())

    def _expire_late(self, now: float) -> None:
        """Expires requests whose timers have not run yet because the loop was busy."""
        for request in [one for one in self._waiting if one.deadline <= now]:
            self._expire(request)

    def _forget(self, request: _Request) -> None:
        if request in self._waiting:
            self._waiting.remove(request)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts waiting requests on free threads."""
        while self._free_threads and self._waiting and self._timer is None:
            if self._batching.timeout_s and self.waiting() < self._batching.max_batch_size:
                self._timer = loop.call_later(self._batching.timeout_s, self._timed_out, loop)
                return
            self._run(loop)

    def _timed_out(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._free_threads and self._waiting:
            self._run(loop)
        self._begin(loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        self._expire_late(now)
        if not self._waiting:
            return
        batch = self._pop_batch()
        self._free_threads -= 1
        for request in batch:
            self.metrics.queued(now - request.since)
        self.metrics.ran(sum(request.rows for request in batch))
        done = loop.run_in_executor(self._threads, _answer_batch, batch, self._batching)
        done.add_done_callback(lambda answers: self._end(loop, batch, answers))

    def _pop_batch(self) -> list[_Request]:
        """Removes the request that waits longest, and later ones that can run with it."""
        first, *others = self._waiting
        joins = first.join_key[-1] is not None
        batch, remaining, rows = [first], [], first.rows
        for request in others:
            fits = rows + request.rows <= self._batching.max_batch_size
            if joins and request.join_key == first.join_key and fits:
                batch.append(request)
                rows += request.rows
            else:
                remaining.append(request)
        self._waiting = remaining
        return batch

    def _end(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Request],
        answers: "asyncio.Future[list[Answer]]",
    ) -> None:
        self._free_threads += 1
        crash = answers.exception()
        if crash is None:
            for request, answer in zip(batch, answers.result(), strict=True):
                request.end(answer)
        else:  # a bug: the first request of the batch raises it
            batch[0].end(crash)
            for request in batch[1:]:
                request.end(RequestError(grpc.StatusCode.INTERNAL, "the call crashed"))
        self._begin(loop)


def _answer_batch(batch: list[_Request], batching: BatchingConfig) -> list[Answer]:
    """Runs one call for all; if it fails, one for each, since one request may be the cause."""
    calls = [request.call for request in batch]
    if len(calls) > 1:
        parts = _answer_joined(calls, batching)
        if parts is not None:
            return parts
    return [_answer_in_time(request) for request in batch]


def _answer_in_time(request: _Request) -> Answer:
    """Does not start a call that was cancelled or is past its deadline."""
    if request.answer.done() or request.deadline <= time.monotonic():
        return _build_late_error()
    return _answer(request.call, request.call.inputs)


def _answer_joined(calls: list[Call], batching: BatchingConfig) -> list[Answer] | None:
    requests: list[Arrays] = [call.inputs for call in calls]
    rows = batching.padded_rows(sum(map(count_rows, requests)))
    answer = _answer(calls[0], join_requests(requests, rows))
    if isinstance(answer, RequestError):
        return None
    parts = split_outputs(answer, requests, rows)
    return None if parts is None else [*parts]


def _answer(call: Call, inputs: Arrays) -> Answer:
    try:
        return call.run(inputs)
    except RequestError as error:
        return error


def _build_full_error(what: str) -> RequestError:
    return RequestError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        f"The batch scheduling queue is full: {what} are waiting; retry later",
        retry_ms=_RETRY_MS,
    )


def _build_late_error() -> RequestError:
    return RequestError(
        grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the request could start"
    )
