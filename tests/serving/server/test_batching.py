"""Requests that wait for a planted call, which the test releases."""

import asyncio
import threading
import time
from concurrent import futures

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.protocol.errors import RequestError, invalid_argument
from serving.server.batch_join import compute_join_key, count_rows, join_requests, split_outputs
from serving.server.batching import BatchQueue
from serving.server.batching_config import BatchingConfig
from serving.server.listeners import run_event_loop, run_on_loop
from serving.server.servable import Call, Servable

MODEL = Servable("m", 1, {}, {})


class Doubling:
    """2 x, row by row; refuses -1. Its calls wait for `go`."""

    def __init__(self):
        self.go, self.started, self.calls = threading.Event(), threading.Event(), []

    def __call__(self, inputs):
        rows = inputs["x"].tolist()
        self.calls.append(rows)
        self.started.set()
        assert self.go.wait(10)
        if -1 in rows:
            raise invalid_argument("x must not be -1")
        return {"out": 2 * inputs["x"]}

    def call(self, *rows):
        return Call(self, "serving_default", {"x": np.array(rows)}, ("out",))


@pytest.fixture
def loop():
    with run_event_loop("test") as running:
        yield running


@pytest.fixture
def threads():
    with futures.ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.fixture
def submit(loop):
    """submit(queue, call) -> a future of its answer, from any thread."""

    def submit_call(queue, call, deadline=float("inf")):
        return asyncio.run_coroutine_threadsafe(queue.run(MODEL, call, deadline), loop)

    return submit_call


@pytest.fixture
def blocked_queue(submit):
    """blocked_queue(**settings) -> a queue, its model, and the call of [0] that occupies the only
    thread until `model.go` is set.
    """

    def start(**settings):
        queue, model = BatchQueue(BatchingConfig(threads=1, **settings)), Doubling()
        first = submit(queue, model.call(0))
        assert model.started.wait(10)
        return queue, model, first

    return start


@pytest.fixture
def enqueue(submit):
    """enqueue(queue, call) -> a future of its answer, once the call is waiting in the queue."""

    def wait_in_queue(queue, call):
        before = queue.waiting()
        future = submit(queue, call)
        wait_until(lambda: queue.waiting() > before)
        return future

    return wait_in_queue


def wait_until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_waiting_requests_are_joined(enqueue, blocked_queue):
    queue, model, first = blocked_queue()
    others = [enqueue(queue, model.call(*rows)) for rows in ((1,), (2, 3), (4,))]
    model.go.set()
    assert first.result(10)["out"].tolist() == [0]
    assert [other.result(10)["out"].tolist() for other in others] == [[2], [4, 6], [8]]
    assert model.calls == [[0], [1, 2, 3, 4]]


def test_a_call_has_no_more_rows_than_allowed(enqueue, blocked_queue):
    queue, model, _ = blocked_queue(max_batch_size=2)
    others = [enqueue(queue, model.call(n)) for n in range(1, 6)]
    model.go.set()
    assert [other.result(10)["out"].tolist() for other in others] == [
        [2], [4], [6], [8], [10],
    ]  # fmt: skip
    assert model.calls == [[0], [1, 2], [3, 4], [5]]


def test_requests_are_not_joined_if_the_batch_size_is_one(enqueue, blocked_queue):
    queue, model, _ = blocked_queue(max_batch_size=1, max_enqueued_batches=9)
    others = [enqueue(queue, model.call(n)) for n in (1, 2)]
    model.go.set()
    futures.wait(others, 10)
    assert model.calls == [[0], [1], [2]]


def test_an_error_of_one_request_does_not_fail_the_others(enqueue, blocked_queue):
    queue, model, _ = blocked_queue()
    good, bad, other = (enqueue(queue, model.call(n)) for n in (1, -1, 3))
    model.go.set()
    assert good.result(10)["out"].tolist() == [2]
    assert other.result(10)["out"].tolist() == [6]
    with pytest.raises(RequestError, match="must not be -1"):
        bad.result(10)


def test_a_full_queue_rejects_a_request_with_a_retry_delay(enqueue, submit, blocked_queue):
    queue, model, _ = blocked_queue(max_batch_size=2, max_enqueued_batches=1)
    waiting = [enqueue(queue, model.call(n)) for n in (1, 2)]
    with pytest.raises(RequestError, match="2 rows are waiting") as refused:
        submit(queue, model.call(3)).result(10)
    assert refused.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused.value.retry_ms == 50
    model.go.set()
    futures.wait(waiting, 10)
    assert [3] not in model.calls


def test_an_expired_request_is_not_run(submit, blocked_queue):
    queue, model, first = blocked_queue()
    with pytest.raises(RequestError) as late:
        submit(queue, model.call(1), time.monotonic() + 0.05).result(10)
    assert late.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert queue.waiting() == 0
    model.go.set()
    first.result(10)
    assert model.calls == [[0]]


def test_a_cancelled_request_is_not_run(enqueue, blocked_queue):
    queue, model, _ = blocked_queue()
    cancelled = enqueue(queue, model.call(1))
    remaining = enqueue(queue, model.call(2))
    cancelled.cancel()
    wait_until(lambda: queue.waiting() == 1)
    model.go.set()
    assert remaining.result(10)["out"].tolist() == [4]
    assert model.calls == [[0], [2]]


def test_requests_with_outputs_that_are_not_by_row_run_separately(submit, enqueue):
    """Such an output cannot be split by request."""
    go, started, calls = threading.Event(), threading.Event(), []

    def total(inputs):
        calls.append(inputs["x"].tolist())
        started.set()
        assert go.wait(10)
        return {"out": inputs["x"].sum()}

    queue = BatchQueue(BatchingConfig(threads=1))
    numbered_calls = [Call(total, "s", {"x": np.array([n])}, ("out",)) for n in (1, 2, 3)]
    first = submit(queue, numbered_calls[0])
    assert started.wait(10)
    others = [enqueue(queue, call) for call in numbered_calls[1:]]
    go.set()
    assert [int(f.result(10)["out"]) for f in (first, *others)] == [1, 2, 3]
    assert calls == [[1], [2, 3], [2], [3]]


def test_overload_does_not_reduce_throughput(submit, threads):
    """A call takes 5 ms, so one thread runs 200 a second; 16 callers, who retry at once, exceed the
    4 that may wait.
    """
    queue, successes = BatchQueue(BatchingConfig(1, 0.0, 4, 1)), []

    def slow(inputs):
        time.sleep(0.005)
        return {"out": inputs["x"]}

    def keep_sending(end):
        while time.monotonic() < end:
            call = Call(slow, "s", {"x": np.array([1])}, ("out",))
            try:
                submit(queue, call).result(10)
                successes.append(1)
            except RequestError:  # the queue is full
                time.sleep(0.01)

    def rate(callers):
        successes.clear()
        end = time.monotonic() + 0.5
        futures.wait([threads.submit(keep_sending, end) for _ in range(callers)])
        return len(successes)

    rounds = [(rate(1), rate(16)) for _ in range(5)]  # other load on the machine slows some
    assert max(many / alone for alone, many in rounds) >= 0.8


requests = st.lists(
    st.tuples(st.integers(1, 3), st.lists(st.integers(1, 9), max_size=4)), min_size=1, max_size=5
)


@given(requests, st.integers(0, 3))
def test_joining_and_splitting_preserve_each_request(sizes, padding_rows):
    """Batches of any size, histories of any length, rows of padding: each row gets its own values
    back.
    """
    inputs = [
        {
            "history_item_ids": np.array([[b"%d" % n for n in history]] * batch, object).reshape(
                batch, -1
            ),
            "now": np.array([7]),
            "user_id": np.array([b"%d-%d" % (index, row) for row in range(batch)], object),
        }
        for index, (batch, history) in enumerate(sizes)
    ]
    assert len({compute_join_key(one, pad=True) for one in inputs}) == 1
    total = sum(batch for batch, _ in sizes)
    together = join_requests(inputs, total + padding_rows)
    assert together["now"].tolist() == [7] * (total + padding_rows)
    assert together["history_item_ids"].shape[1] % 8 == 0
    parts = split_outputs(together, inputs, total + padding_rows)
    assert parts is not None
    for index, ((batch, history), part) in enumerate(zip(sizes, parts, strict=True)):
        assert part["user_id"].tolist() == [f"{index}-{n}".encode() for n in range(batch)]
        for row in part["history_item_ids"].tolist():
            assert row[len(row) - len(history) :] == [str(n).encode() for n in history]
            assert set(row[: len(row) - len(history)]) <= {b""}


def test_a_list_has_the_width_of_its_own_request():
    lists = np.array([[b"a", b"b", b"c"], [b"d", b"", b""]], object)
    outputs = {"item_ids": lists, "known": np.zeros(2)}
    parts = split_outputs(outputs, [{"k": np.array([3])}, {"k": np.array([1])}], 2)
    assert parts is not None
    one, two = parts
    assert one["item_ids"].tolist() == [[b"a", b"b", b"c"]]
    assert two["item_ids"].tolist() == [[b"d"]]


def test_lists_of_different_length_are_joined_only_with_padding():
    short, long = ({"history_item_ids": np.full([1, n], b"a", object)} for n in (1, 2))
    assert compute_join_key(short, True) == compute_join_key(long, True)
    assert compute_join_key(short, False) != compute_join_key(long, False)
    others = ({"candidate_item_ids": np.full([1, n], b"a", object)} for n in (1, 2))
    assert len({compute_join_key(other, True) for other in others}) == 2


def test_the_queue_answers_every_request(submit, threads):
    """Many callers, two threads, known answers."""
    queue = BatchQueue(BatchingConfig(max_batch_size=4, max_enqueued_batches=100, threads=2))
    model = Doubling()
    model.go.set()

    def submit_many(seed):
        for n in np.random.default_rng(seed).integers(0, 1000, 50).tolist():
            assert submit(queue, model.call(n)).result(10)["out"].tolist() == [2 * n]

    for future in [threads.submit(submit_many, seed) for seed in range(12)]:
        future.result(60)
    assert queue.waiting() == 0
    assert sum(len(rows) for rows in model.calls) == 600


def test_waiting_and_rows_are_measured(submit, blocked_queue):
    """[0] runs alone immediately; [1, 2] and [3] wait for it, then run together."""
    queue, model, first = blocked_queue()
    waiting = [submit(queue, model.call(*rows)) for rows in ([1, 2], [3])]
    while queue.waiting() < 3:
        time.sleep(0.001)
    begin = time.monotonic()
    assert get_measurements(queue)[":tandem:serving:waiting_rows"] == 3
    least = time.monotonic() - begin
    model.go.set()
    for future in (first, *waiting):
        future.result(10)
    measurements = get_measurements(queue)
    assert measurements[":tandem:serving:waiting_rows"] == 0
    assert measurements[":tandem:serving:batch_rows_count"] == 2
    assert measurements[":tandem:serving:batch_rows_sum"] == 1 + 3
    assert measurements[":tensorflow:serving:batching_session:queuing_latency_count"] == 3
    assert measurements[":tensorflow:serving:batching_session:queuing_latency_sum"] >= 2e6 * least


def get_measurements(queue):
    return {
        sample.name: sample.value for metric in queue.metrics.collect() for sample in metric.samples
    }


def test_a_busy_loop_does_not_run_expired_requests(loop):
    queue, model = BatchQueue(BatchingConfig(threads=1)), Doubling()
    model.go.set()

    async def late():
        running = asyncio.ensure_future(queue.run(MODEL, model.call(0)))
        waiting = asyncio.ensure_future(queue.run(MODEL, model.call(7), time.monotonic() + 0.01))
        await asyncio.sleep(0)
        time.sleep(0.2)
        await running
        with pytest.raises(RequestError) as refused:
            await waiting
        return refused.value.code

    assert run_on_loop(loop, late()) == grpc.StatusCode.DEADLINE_EXCEEDED
    assert model.calls == [[0]]


def test_requests_without_rows_and_very_long_lists_are_run_alone():
    assert compute_join_key({}, True) is None
    assert compute_join_key({"n": np.array(3)}, True) is None
    assert count_rows({}) == 0
    for width, alone in ((4096, False), (4097, True)):
        history = {"history_item_ids": np.zeros([1, width], object)}
        assert (compute_join_key(history, True) is None) == alone


def test_a_call_without_memory_gets_an_error(submit):
    def hungry(inputs):
        raise MemoryError

    call = Call(hungry, "s", {"x": np.array([1])}, ("out",))
    with pytest.raises(RequestError, match="does not have enough memory for this") as refused:
        submit(BatchQueue(BatchingConfig(threads=1)), call).result(10)
    assert refused.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_waiting_requests_have_a_limit_of_bytes(submit, enqueue):
    """Numbers of 8 bytes; 280 bytes may wait, in any number of requests."""
    queue, model = BatchQueue(BatchingConfig(threads=1), most_waiting_bytes=280), Doubling()
    first = submit(queue, model.call(0))
    assert model.started.wait(10)
    others = [enqueue(queue, model.call(*[n] * 7)) for n in range(1, 6)]
    with pytest.raises(RequestError, match="280 bytes are waiting") as full:
        submit(queue, model.call(1)).result(10)
    assert full.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    model.go.set()
    assert [other.result(10)["out"].tolist() for other in (first, *others)] == [
        [0],
        *([2 * n] * 7 for n in range(1, 6)),
    ]
