"""The client and its asyncio counterpart, against the real server: both must do the same."""

import asyncio
import socket
import time

import grpc
import numpy as np
import pytest

from schema.errors import UsageError
from serving.client.client import AsyncClient, Client
from serving.client.messages import VersionStatus
from serving.protocol.errors import RequestError
from tests.serving.stub_server import ScriptedService, run_service


def ann(k):
    return {"user_id": np.array(["ann"]), "x": np.array([[1, 2]], "f4"), "k": np.array([k])}


def sync_call(address, method, *arguments, **options):
    with Client(address) as client:
        return getattr(client, method)(*arguments, **options)


def async_call(address, method, *arguments, **options):
    async def call():
        async with AsyncClient(address) as client:
            return await getattr(client, method)(*arguments, **options)

    return asyncio.run(call())


@pytest.fixture(params=[sync_call, async_call], ids=["sync", "asyncio"])
def call(request):
    return request.param


def test_predict(server, call):
    answer = call(server.grpc_address, "predict", "greeter", ann(3))
    assert answer["total"].tolist() == [9.0]  # version 1 * k 3 * (1 + 2)
    assert answer["greeting"].tolist() == [b"v1:ann"]


def test_an_existing_and_a_missing_version(server, call):
    answer = call(server.grpc_address, "predict", "greeter", ann(1), version=1)
    assert answer["total"].tolist() == [3.0]
    with pytest.raises(RequestError, match="NOT_FOUND") as error:
        call(server.grpc_address, "predict", "greeter", ann(1), version=7)
    assert error.value.code == grpc.StatusCode.NOT_FOUND


def test_an_error_has_its_code(server, call):
    with pytest.raises(RequestError, match="k must not be negative") as error:
        call(server.grpc_address, "predict", "greeter", ann(-1))
    assert error.value.code == grpc.StatusCode.INVALID_ARGUMENT


def test_status(server, call):
    assert call(server.grpc_address, "status", "echo") == [VersionStatus(1, "AVAILABLE", "")]


def test_declared_inputs(server, call):
    assert call(server.grpc_address, "inputs", "greeter") == {
        "k": ("int64", (-1,)),
        "user_id": ("string", (-1,)),
        "x": ("float32", (-1, 2)),
    }


def test_an_unreachable_server_is_reported_after_retries(call):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    begin = time.monotonic()
    with pytest.raises(UsageError, match=r"expected a server at .*start one with"):
        call(f"127.0.0.1:{port}", "status", "greeter")
    assert time.monotonic() - begin < 4


def test_a_call_has_its_own_deadline(call):
    service = ScriptedService(seconds=1.0)
    begin = time.monotonic()
    with (
        run_service(service) as address,
        pytest.raises(RequestError, match=r"predict of m .* within 0\.2 s, received nothing"),
    ):
        call(address, "predict", "m", {}, timeout_s=0.2)
    assert time.monotonic() - begin < 3
    assert len(service.requests) == 1


def test_label_and_signature_reach_the_server(call):
    service = ScriptedService()
    with run_service(service) as address:
        call(address, "predict", "m", {}, label="canary", signature_name="explain")
    (request,) = service.requests
    assert request.model_spec.name == "m"
    assert request.model_spec.version_label == "canary"
    assert request.model_spec.signature_name == "explain"
    assert request.model_spec.WhichOneof("version_choice") == "version_label"


def test_a_version_and_a_label_exclude_each_other(call):
    with pytest.raises(UsageError, match="received version 2 and label 'canary'"):
        call("127.0.0.1:1", "predict", "m", {}, version=2, label="canary")


def test_many_calls_at_once(server):
    async def send_all():
        async with AsyncClient(server.grpc_address, 30) as client:
            calls = [client.predict("greeter", ann(k)) for k in range(50)]
            return [answer["total"].tolist() for answer in await asyncio.gather(*calls)]

    assert asyncio.run(send_all()) == [[3.0 * k] for k in range(50)]
