"""Where requests wait for their turn, and are joined with others that wait."""

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
    """One that waits, or is being run."""

    alike: tuple[int, str, tuple[str, ...], JoinKey | None]
    call: Call
    rows: int
    held: int
    answer: "asyncio.Future[Outputs]"
    deadline: float
    since: float = dataclasses.field(default_factory=time.monotonic)

    def end(self, answer: Outputs | BaseException) -> None:
        if self.answer.done():  # its caller has gone
            return
        if isinstance(answer, BaseException):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class BatchQueue:
    """Runs signatures, so many calls at a time; requests that wait meanwhile are joined.

    It belongs to one event loop: all of it happens there but the calls, which have threads of their
    own. So no lock is taken, and a request costs no change of thread before its call begins.
    """

    def __init__(self, batching: BatchingConfig, most_waiting_bytes: int = 2**30) -> None:
        """`most_waiting_bytes`: what the inputs of all that wait may hold together."""
        self._batching = batching
        self._most_waiting_bytes = most_waiting_bytes
        self._waiting: list[_Request] = []
        self._turns = batching.threads
        self._timer: asyncio.TimerHandle | None = None
        self._threads = futures.ThreadPoolExecutor(batching.threads, thread_name_prefix="calls")
        self.metrics = BatchingMetrics(self.waiting)

    async def run(self, servable: Servable, call: Call, deadline: float = _FOREVER) -> Outputs:
        """What `call`, one of the `servable`, answers. `deadline` is by `time.monotonic`; a request
        whose task is cancelled before its turn is not run.

        Raises RequestError: its own, RESOURCE_EXHAUSTED where too many wait, and DEADLINE_EXCEEDED
        where the turn comes too late.
        """
        loop = asyncio.get_running_loop()
        alike = (id(servable), *call.asks, compute_join_key(call.inputs, self._batching.pad))
        rows = max(1, count_rows(call.inputs))
        held = count_tensor_bytes(call.inputs)
        request = _Request(alike, call, rows, held, loop.create_future(), deadline)
        self._admit(request)
        late = None if deadline == _FOREVER else loop.call_at(deadline, self._send_away, request)
        self._begin(loop)
        try:
            return await request.answer
        finally:
            if late is not None:
                late.cancel()
            self._forget(request)

    def waiting(self) -> int:
        """Rows that wait."""
        return sum(request.rows for request in self._waiting)

    def close(self) -> None:
        """Ends the threads; calls that are still under way are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _admit(self, request: _Request) -> None:
        most = self._batching.most_waiting
        if self._waiting and self.waiting() + request.rows > most:
            raise _build_full_error(f"{most} rows")
        held = sum(other.held for other in self._waiting)
        if self._waiting and held + request.held > self._most_waiting_bytes:
            raise _build_full_error(f"{held} bytes")
        self._waiting.append(request)

    def _send_away(self, request: _Request) -> None:
        if request in self._waiting:
            self._waiting.remove(request)
            request.end(_build_late_error())

    def _send_away_late(self, now: float) -> None:
        """Whose timers did not come to it yet, the loop having been busy."""
        for request in [one for one in self._waiting if one.deadline <= now]:
            self._send_away(request)

    def _forget(self, request: _Request) -> None:
        if request in self._waiting:
            self._waiting.remove(request)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Lets those who wait have the turns that are free."""
        while self._turns and self._waiting and self._timer is None:
            if self._batching.timeout_s and self.waiting() < self._batching.max_batch_size:
                self._timer = loop.call_later(self._batching.timeout_s, self._timed_out, loop)
                return
            self._run(loop)

    def _timed_out(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._turns and self._waiting:
            self._run(loop)
        self._begin(loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        self._send_away_late(now)
        if not self._waiting:
            return
        batch = self._pop_batch()
        self._turns -= 1
        for request in batch:
            self.metrics.queued(now - request.since)
        self.metrics.ran(sum(request.rows for request in batch))
        done = loop.run_in_executor(self._threads, _answer_batch, batch, self._batching)
        done.add_done_callback(lambda answers: self._end(loop, batch, answers))

    def _pop_batch(self) -> list[_Request]:
        """The request that waits longest, and those behind it that can run with it."""
        first, *others = self._waiting
        joins = first.alike[-1] is not None
        batch, kept, rows = [first], [], first.rows
        for request in others:
            fits = rows + request.rows <= self._batching.max_batch_size
            if joins and request.alike == first.alike and fits:
                batch.append(request)
                rows += request.rows
            else:
                kept.append(request)
        self._waiting = kept
        return batch

    def _end(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Request],
        answers: "asyncio.Future[list[Answer]]",
    ) -> None:
        self._turns += 1
        crash = answers.exception()
        if crash is None:
            for request, answer in zip(batch, answers.result(), strict=True):
                request.end(answer)
        else:  # of ours: it shows where the first of them is answered
            batch[0].end(crash)
            for request in batch[1:]:
                request.end(RequestError(grpc.StatusCode.INTERNAL, "the call crashed"))
        self._begin(loop)


def _answer_batch(batch: list[_Request], batching: BatchingConfig) -> list[Answer]:
    """One call for all of them; where it is refused, one for each, for the fault may be one's."""
    calls = [request.call for request in batch]
    if len(calls) > 1:
        parts = _answer_joined(calls, batching)
        if parts is not None:
            return parts
    return [_answer_in_time(request) for request in batch]


def _answer_in_time(request: _Request) -> Answer:
    """None is begun for a caller who has gone."""
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
        f"The batch scheduling queue is full: {what} wait already; ask again later",
        retry_ms=_RETRY_MS,
    )


def _build_late_error() -> RequestError:
    return RequestError(
        grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline has passed before the request's turn"
    )
