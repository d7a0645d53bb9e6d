"""Which failures are retried, how often and when: against a server that fails as scripted."""

import asyncio
import time

import grpc
import hypothesis
import pytest
from hypothesis import strategies as st

from schema.errors import TandemError, UsageError
from serving.client.client import AsyncClient, Client
from serving.client.connection import RetryPolicy
from serving.protocol.errors import RequestError
from tests.serving.stub_server import ScriptedService, run_service

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def pushback(milliseconds):
    return [("grpc-retry-pushback-ms", str(milliseconds))]


def sync_call(address, timeout_s, retries):
    with Client(address, timeout_s, retries=retries) as client:
        return client.predict("m", {})["calls"].item()


def async_call(address, timeout_s, retries):
    async def call():
        async with AsyncClient(address, timeout_s, retries=retries) as client:
            return (await client.predict("m", {}))["calls"].item()

    return asyncio.run(call())


@pytest.fixture(params=[sync_call, async_call], ids=["sync", "asyncio"])
def predict(request):
    """predict(service) -> the number of the attempt that succeeded."""

    def send(service, timeout_s=5.0, retries=None):
        with run_service(service) as address:
            return request.param(address, timeout_s, retries or RetryPolicy())

    return send


def test_unavailable_is_retried(predict):
    assert predict(ScriptedService([(UNAVAILABLE, [])] * 3)) == 4


def test_attempts_are_bounded(predict):
    service = ScriptedService([(UNAVAILABLE, [])] * 9)
    with pytest.raises(UsageError, match="failure 4"):
        predict(service)
    assert len(service.requests) == 4


def test_a_single_attempt_is_not_retried(predict):
    service = ScriptedService([(UNAVAILABLE, [])])
    with pytest.raises(UsageError, match="failure 1"):
        predict(service, retries=RetryPolicy(attempts=1))
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.ABORTED,
    ],
)
@pytest.mark.parametrize("trailing", [[], pushback(1)], ids=["", "pushback"])
def test_other_errors_are_not_retried(predict, code, trailing):
    service = ScriptedService([(code, trailing)])
    with pytest.raises(RequestError) as error:
        predict(service)
    assert (error.value.code, len(service.requests)) == (code, 1)


def test_an_overloaded_server_is_not_retried(predict):
    service = ScriptedService([(EXHAUSTED, [])])
    with pytest.raises(RequestError, match="RESOURCE_EXHAUSTED: failure 1"):
        predict(service)
    assert len(service.requests) == 1


@pytest.mark.parametrize("code", [EXHAUSTED, UNAVAILABLE])
def test_the_pause_follows_the_servers_pushback(predict, code):
    service = ScriptedService([(code, pushback(300))])
    assert predict(service) == 2
    first, second = service.moments
    assert second - first >= 0.3


@pytest.mark.parametrize("code", [EXHAUSTED, UNAVAILABLE])
@pytest.mark.parametrize("delay", [-1, "later", 60_000])
def test_a_server_can_forbid_retries(predict, code, delay):
    """60 s are longer than the deadline of the whole call."""
    service = ScriptedService([(code, pushback(delay))])
    begin = time.monotonic()
    with pytest.raises(TandemError, match="failure 1"):
        predict(service)
    assert len(service.requests) == 1
    assert time.monotonic() - begin < 4


def test_all_attempts_share_the_deadline_of_the_call(predict):
    """Each attempt fails after a second, so the third would end after the call's 2.5 s."""
    service = ScriptedService([(UNAVAILABLE, pushback(0))] * 99, seconds=1)
    begin = time.monotonic()
    with pytest.raises(TandemError):
        predict(service, timeout_s=2.5, retries=RetryPolicy(attempts=99))
    assert time.monotonic() - begin < 6
    assert 2 <= len(service.requests) <= 3


class Failed(grpc.RpcError):
    def code(self):
        return UNAVAILABLE

    def trailing_metadata(self):
        return None


@hypothesis.given(failed=st.integers(1, 19), first=st.floats(0.01, 1), longest=st.floats(0.01, 5))
def test_pauses_double_up_to_the_longest(failed, first, longest):
    pause = RetryPolicy(20, first, longest).pause(failed, Failed(), 1000)
    assert pause is not None
    assert 0 <= pause <= min(longest, first * 2 ** (failed - 1))


def test_pauses_differ():
    assert len({RetryPolicy().pause(1, Failed(), 1) for _ in range(20)}) > 1


@pytest.mark.parametrize("remaining_s", [0.0, -1.0])
def test_no_attempt_starts_after_the_deadline(remaining_s):
    assert RetryPolicy().pause(1, Failed(), remaining_s) is None
