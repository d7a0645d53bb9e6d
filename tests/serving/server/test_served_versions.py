"""Several versions of a model: policies, labels, reload and unloading."""

import contextlib
import json
import urllib.error
import urllib.request
import weakref

import grpc
import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import (
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
)

from schema.errors import NoRunError, TandemError
from serving.client.client import Client
from serving.protocol.errors import RequestError
from serving.server.app import run_configured_server, run_server
from serving.server.model_config import ServableVersionPolicy, WatchedModel
from serving.server.model_store import ModelStore
from serving.server.served_versions import State
from serving.versions.local import LocalVersionStore

INPUTS = {
    "user_id": np.array(["ann"]),
    "x": np.array([[1, 0]], np.float32),
    "k": np.array([1], np.int64),
}


@pytest.fixture
def base_path(tmp_path, greeters):
    """Versions 1, 2 and 3; version 3 is a copy of version 1."""
    for model in (greeters[1], greeters[2], greeters[1]):
        LocalVersionStore(tmp_path / "serving").push({"greeter": model})
    return tmp_path / "serving" / "greeter"


def watch(base_path, policy="", **labels):
    parsed = text_format.Parse(policy, ServableVersionPolicy())
    return [WatchedModel("greeter", base_path, parsed, labels)]


def start_store(watched):
    store = ModelStore(lambda: watched)
    store.start()
    return store


def spec(**choice):
    return text_format.Parse(
        " ".join(f"{key} {{ value: {value} }}" for key, value in choice.items()),
        model_pb2.ModelSpec(name="greeter"),
    )


@pytest.mark.parametrize(
    ("policy", "serving"),
    [
        ("", {3}),
        ("latest { num_versions: 2 }", {2, 3}),
        ("all {}", {1, 2, 3}),
        ("specific { versions: 1 versions: 2 versions: 8 }", {1, 2}),
    ],
)
def test_policies(base_path, policy, serving):
    store = start_store(watch(base_path, policy))
    assert store.served.versions("greeter") == serving
    with store.served.using(spec()) as latest:
        assert latest.version == max(serving)
    for version in serving:
        with store.served.using(spec(version=version)) as servable:
            assert servable.version == version


def test_an_older_version_replaces_one_that_does_not_load(base_path):
    (base_path / "3" / "saved_model.pb").write_bytes(b"\xff")
    store = start_store(watch(base_path, "latest { num_versions: 2 }"))
    assert store.served.versions("greeter") == {1, 2}


def test_a_version_is_kept_until_another_selected_one_serves(base_path):
    store = start_store(watch(base_path, "specific { versions: 1 }"))
    store.apply(watch(base_path, "specific { versions: 9 }"))
    assert store.served.versions("greeter") == {1}
    store.apply(watch(base_path, "specific { versions: 2 }"))
    assert store.served.versions("greeter") == {2}


def test_a_version_is_unloaded_after_its_last_request(base_path):
    store = start_store(watch(base_path, "specific { versions: 1 }"))
    with contextlib.ExitStack() as requests:
        first = requests.enter_context(store.served.using(spec()))
        loaded = weakref.ref(first.signatures["serving_default"])
        with store.served.using(spec(version=1)):
            store.apply(watch(base_path, "specific { versions: 2 }"))
            assert store.served.states("greeter")[1].state == State.UNLOADING
            with (
                pytest.raises(RequestError, match=r"Specific\(greeter, 1\)"),
                store.served.using(spec(version=1)),
            ):
                pass
        assert store.served.states("greeter")[1].state == State.UNLOADING
    assert store.served.states("greeter")[1].state == State.END
    del first
    store.refresh()
    assert loaded() is None


def test_a_model_removed_from_the_configuration_is_unloaded(base_path):
    store = start_store(watch(base_path))
    store.apply([])
    assert store.served.available() == {}
    assert store.served.states("greeter")[3].state == State.END


@pytest.fixture
def server(base_path):
    watched = watch(
        base_path, "specific { versions: 1 versions: 2 }", stable=1, canary=2, missing=9
    )
    with run_configured_server(watched) as running:
        yield running


def test_labels_over_grpc(server):
    with Client(server.grpc_address) as client:
        totals = {
            label: client.predict("greeter", INPUTS, label=label)["total"].tolist()
            for label in ("stable", "canary")
        }
        assert totals == {"stable": [1.0], "canary": [2.0]}
        with pytest.raises(TandemError, match="Unrecognized servable version label: other"):
            client.predict("greeter", INPUTS, label="other")
        with pytest.raises(TandemError, match=r"Specific\(greeter, 9\)"):
            client.predict("greeter", INPUTS, label="missing")


def test_labels_over_rest(server):
    def send(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(server.rest_url + path, data, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    rows = {"instances": [{"user_id": "ann", "x": [1, 0], "k": 1}]}
    status, answer = send("/v1/models/greeter/labels/canary:predict", rows)
    assert (status, answer["predictions"][0]["total"]) == (200, 2.0)
    status, answer = send("/v1/models/greeter/labels/stable/metadata")
    assert (status, answer["model_spec"]["version"]) == (200, "1")
    assert send("/v1/models/greeter/labels/other:predict", rows) == (
        400,
        {"error": "Unrecognized servable version label: other"},
    )
    status, answer = send("/v1/models/greeter/labels/canary")
    assert (status, [entry["version"] for entry in answer["model_version_status"]]) == (
        200,
        ["2", "1"],
    )


@pytest.fixture
def reload(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)

        def call(*entries):
            text = " ".join(
                f"config {{ {entry} model_platform: 'tensorflow' }}" for entry in entries
            )
            request = text_format.Parse(
                f"config {{ model_config_list {{ {text} }} }}",
                model_management_pb2.ReloadConfigRequest(),
            )
            return stub.HandleReloadConfigRequest(request, timeout=30)

        yield call


def test_reload_moves_versions_and_then_labels(server, reload, base_path):
    model = f"name: 'greeter' base_path: '{base_path}'"
    policy = "model_version_policy { specific { versions: 2 versions: 3 } }"
    label = "version_labels { key: 'stable' value: 3 }"
    with Client(server.grpc_address) as client:
        with pytest.raises(grpc.RpcError) as error:
            reload(f"{model} {policy} {label}")
        assert (error.value.code().name, error.value.details()) == (
            "FAILED_PRECONDITION",
            "Request to assign label to version 3 of model greeter, which is not currently "
            "available for inference",
        )
        assert client.predict("greeter", INPUTS, label="stable")["total"].tolist() == [1.0]
        assert reload(f"{model} {policy}").status.error_code == 0
        serving = {entry.version: entry.state for entry in client.status("greeter")}
        assert serving == {3: "AVAILABLE", 2: "AVAILABLE", 1: "END"}
        reload(f"{model} {policy} {label}")
        assert client.predict("greeter", INPUTS, label="stable")["total"].tolist() == [1.0]
        with pytest.raises(TandemError, match="Unrecognized servable version label: canary"):
            client.predict("greeter", INPUTS, label="canary")


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        (
            "name: 'greeter' base_path: 'here'",
            "INVALID_ARGUMENT",
            "Expected model greeter to have an absolute path or URI; got base_path()=here",
        ),
        (
            "name: 'nobody' base_path: '/nowhere/at/all'",
            "UNKNOWN",
            "1 model(s) did not become available: {nobody}",
        ),
    ],
)
def test_reload_refusals(reload, entry, code, message):
    with pytest.raises(grpc.RpcError) as error:
        reload(entry)
    assert (error.value.code().name, error.value.details()) == (code, message)


def test_an_empty_reload_is_refused(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        with pytest.raises(grpc.RpcError) as error:
            stub.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(), timeout=10)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "Only ModelConfigList is currently supported" in str(error.value.details())


def test_a_skipped_folder_is_named_once(base_path, caplog):
    """A folder without a SavedModel is refused in one line."""
    (base_path / "v4").mkdir()
    (base_path / "5").mkdir()
    store = ModelStore(lambda: watch(base_path))
    store.start()
    for _ in range(3):
        store.refresh()
    assert store.served.available() == {"greeter": 3}
    logged = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    refused, passed = sorted(record.getMessage() for record in logged)
    assert passed.startswith(f"greeter: {base_path / 'v4'} is skipped: a version's folder must ")
    assert refused.startswith("greeter 5 does not load and is rejected: FileNotFoundError: ")
    assert refused.endswith("greeter/5/saved_model.pb'")
    assert not any(record.exc_info for record in logged)


def test_a_version_beyond_64_bits_is_ignored(base_path):
    """TensorFlow Serving's API cannot represent its number, and GetModelStatus would fail."""
    (base_path / "9223372036854775808").mkdir()
    with (
        run_server(base_path.parent) as server,
        Client(server.grpc_address) as client,
    ):
        assert [entry.version for entry in client.status("greeter")] == [3]


def test_a_configuration_of_ignored_fields_only(tmp_path):
    (tmp_path / "serving" / "greeter" / "v1").mkdir(parents=True)
    with (
        pytest.raises(NoRunError, match="found none but greeter/v1, which is skipped: a version"),
        run_server(tmp_path / "serving"),
    ):
        pass


def test_an_invalid_base_path(base_path):
    with run_server(base_path.parent) as server:
        code, details = get_reload_error(server, "/\0")
        assert code == "INVALID_ARGUMENT"
        assert "Expected model m to have an absolute path" in details


def get_reload_error(server, path):
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.config.add(
        name="m", base_path=path, model_platform="tensorflow"
    )
    with grpc.insecure_channel(server.grpc_address) as channel:
        service = model_service_pb2_grpc.ModelServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            service.HandleReloadConfigRequest(request, timeout=30)
    return refused.value.code().name, str(refused.value.details())
