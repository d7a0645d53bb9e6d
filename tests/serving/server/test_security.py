"""TLS, mutual TLS and tokens of the real server, with stock stubs and raw HTTP."""

import http.client
import json
import ssl
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from schema.errors import UsageError
from serving.client.client import Client
from serving.client.connection import Security
from serving.protocol.errors import RequestError
from serving.server.app import run_server
from serving.server.options import ServerOptions
from serving.server.security import ServerSecurity, Tls, read_ssl_config, read_tls, read_token
from tests.serving.certificates import issue_all

TOKEN = "s3cret"
ANN = {"user_id": np.array(["ann"]), "x": np.ones([1, 2], "f4"), "k": np.array([1])}
BODY = json.dumps({"instances": [{"user_id": "ann", "x": [1, 1], "k": 1}]}).encode()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return issue_all(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secured(serving_dir, certificates):
    """secured(tls, mutual, token) -> a server that requires them."""

    def start(tls=False, mutual=False, token=""):
        certificate = None
        if tls or mutual:
            certificate = read_tls(
                certificates / "server.pem",
                certificates / "server.key",
                certificates / "ca.pem" if mutual else None,
            )
        return run_server(serving_dir, ServerOptions(security=ServerSecurity(certificate, token)))

    return start


def predict_over_grpc(server, **security):
    with Client(server.grpc_address, 5, Security(**security)) as client:
        return client.predict("greeter", ANN)["total"].tolist()


def predict_over_rest(server, context=None, **headers):
    request = urllib.request.Request(
        f"{server.rest_url}/v1/models/greeter:predict", BODY, headers, method="POST"
    )
    with urllib.request.urlopen(request, timeout=5, context=context) as answer:
        return json.load(answer)["predictions"][0]["total"]


def build_context(certificates, own=None):
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    if own is not None:
        context.load_cert_chain(certificates / f"{own}.pem", certificates / f"{own}.key")
    return context


def test_both_ports_accept_tls_only(secured, certificates):
    with secured(tls=True) as server:
        assert server.rest_url.startswith("https://")
        assert predict_over_grpc(server, tls=True, root_certificates=certificates / "ca.pem") == [
            2.0
        ]
        assert predict_over_rest(server, build_context(certificates)) == 2.0
        with pytest.raises(UsageError, match="no answer"):
            predict_over_grpc(server)
        with pytest.raises((urllib.error.URLError, http.client.HTTPException, OSError)):
            predict_over_rest(server, ssl.create_default_context())
        old = build_context(certificates)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(urllib.error.URLError):
            predict_over_rest(server, old)


def test_mutual_tls_admits_clients_with_a_signed_certificate(secured, certificates):
    ca = certificates / "ca.pem"
    with secured(mutual=True) as server:
        pair = {"certificate": certificates / "client.pem", "key": certificates / "client.key"}
        assert predict_over_grpc(server, tls=True, root_certificates=ca, **pair) == [2.0]
        assert predict_over_rest(server, build_context(certificates, "client")) == 2.0
        with pytest.raises(UsageError):
            predict_over_grpc(server, tls=True, root_certificates=ca)
        for own in (None, "stranger"):
            with pytest.raises((urllib.error.URLError, OSError)):
                predict_over_rest(server, build_context(certificates, own))


def test_both_ports_require_the_token(secured):
    with secured(token=TOKEN) as server:
        assert predict_over_grpc(server, token=TOKEN) == [2.0]
        assert predict_over_rest(server, Authorization=f"Bearer {TOKEN}") == 2.0
        for wrong in (None, "S3cret", f"{TOKEN}x"):
            with pytest.raises(RequestError) as refused:
                predict_over_grpc(server, token=wrong)
            assert refused.value.code == grpc.StatusCode.UNAUTHENTICATED
            assert TOKEN not in str(refused.value)
        for wrong in ({}, {"Authorization": TOKEN}, {"Authorization": "Basic x"}):
            with pytest.raises(urllib.error.HTTPError) as denied:
                predict_over_rest(server, **wrong)
            assert denied.value.code == 401
            assert denied.value.headers["WWW-Authenticate"] == "Bearer"
        with pytest.raises(urllib.error.HTTPError) as denied:
            urllib.request.urlopen(f"{server.rest_url}/monitoring/prometheus/metrics", timeout=5)
        assert denied.value.code == 401


def test_probes_need_no_token_and_reflection_does(secured):
    with secured(token=TOKEN) as server, grpc.insecure_channel(server.grpc_address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        with pytest.raises(grpc.RpcError) as refused:
            next(reflection.ServerReflectionInfo(iter([request]), timeout=5))
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_tensorflow_servings_ssl_file_has_the_same_effect(certificates, tmp_path):
    def text(name):
        return json.dumps((certificates / name).read_text())

    path = tmp_path / "ssl.config"
    path.write_text(f"server_key: {text('server.key')} server_cert: {text('server.pem')}")
    expected = read_tls(certificates / "server.pem", certificates / "server.key", None)
    assert read_ssl_config(path) == expected
    path.write_text(f"{path.read_text()} custom_ca: {text('ca.pem')} client_verify: true")
    assert read_ssl_config(path).client_roots == (certificates / "ca.pem").read_bytes()
    path.write_text("client_verify: true")
    with pytest.raises(UsageError, match="custom_ca"):
        read_ssl_config(path)


@pytest.mark.parametrize(
    ("certificate", "key", "message"),
    [
        ("server.pem", "client.key", "KEY_VALUES_MISMATCH|key values mismatch"),
        ("server.key", "server.key", "in PEM"),
        ("nowhere.pem", "server.key", "nowhere.pem"),
    ],
)
def test_invalid_files_are_named(certificates, certificate, key, message):
    with pytest.raises(UsageError, match=message):
        read_tls(certificates / certificate, certificates / key, None)


@pytest.mark.parametrize("content", [b"", b"two words", b"a\nb", b"\xff\xfe"])
def test_a_token_is_one_word(tmp_path, content):
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="openssl rand"):
        read_token(path)
    path.write_bytes(b"word\n")
    assert read_token(path) == "word"


def test_secrets_are_not_shown():
    shown = repr(ServerSecurity(Tls(b"certificate", b"the key"), TOKEN))
    assert "the key" not in shown
    assert TOKEN not in shown
