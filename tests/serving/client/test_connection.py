"""TLS, mutual TLS and bearer tokens, over real handshakes with generated certificates."""

import grpc
import pytest

from schema.errors import UsageError
from serving.client.client import Client
from serving.client.connection import Security
from tests.serving.certificates import issue_all
from tests.serving.stub_server import ScriptedService, run_service

TIMEOUT_S = 3


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return issue_all(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls(certificates):
    """tls(service, mutual) -> context of a server with the certificate `server`: its address."""

    def start(service, mutual=False):
        pair = tuple((certificates / f"server.{end}").read_bytes() for end in ("key", "pem"))
        ca = (certificates / "ca.pem").read_bytes() if mutual else None
        credentials = grpc.ssl_server_credentials([pair], ca, require_client_auth=mutual)
        return run_service(service, credentials)

    return start


def predict(address, security):
    with Client(address, TIMEOUT_S, security) as client:
        return client.predict("m", {})["calls"].item()


def test_a_server_with_a_known_issuer(tls, certificates):
    with tls(ScriptedService()) as address:
        assert predict(address, Security(tls=True, root_certificates=certificates / "ca.pem")) == 1


@pytest.mark.parametrize("root", ["stranger.pem", None])
def test_a_server_with_an_unknown_issuer_is_refused(tls, certificates, root):
    service = ScriptedService()
    path = None if root is None else certificates / root
    with tls(service) as address, pytest.raises(UsageError, match="expected a server at"):
        predict(address, Security(tls=True, root_certificates=path))
    assert service.requests == []


def test_mutual_tls(tls, certificates):
    own = {"certificate": certificates / "client.pem", "key": certificates / "client.key"}
    root = certificates / "ca.pem"
    with tls(ScriptedService(), mutual=True) as address:
        assert predict(address, Security(tls=True, root_certificates=root, **own)) == 1
        with pytest.raises(UsageError, match="expected a server at"):
            predict(address, Security(tls=True, root_certificates=root))


def test_plain_text_to_a_tls_server_is_not_answered(tls):
    with tls(ScriptedService()) as address, pytest.raises(UsageError, match="expected a server at"):
        predict(address, Security())


def test_each_call_sends_the_token(tls, certificates):
    service = ScriptedService([(grpc.StatusCode.UNAVAILABLE, [])])
    root = certificates / "ca.pem"
    with tls(service) as address:
        predict(address, Security(tls=True, root_certificates=root, token="s3cret"))
    assert [sent["authorization"] for sent in service.metadata] == ["Bearer s3cret"] * 2


def test_without_a_token_no_header_is_sent():
    service = ScriptedService()
    with run_service(service) as address:
        predict(address, Security())
    assert "authorization" not in service.metadata[0]


def test_the_token_is_not_in_the_repr():
    assert "s3cret" not in repr(Security(token="s3cret"))


@pytest.mark.parametrize("token", ["", "s3\ncret", "s3 cret", "s3crét", "s3cret\n"])
def test_invalid_tokens_are_refused(token):
    with pytest.raises(UsageError, match="expected a bearer token") as error:
        Security(token=token)
    assert "s3" not in str(error.value)


def test_incomplete_settings_are_refused(tmp_path):
    with pytest.raises(UsageError, match="certificate and its key together"):
        Security(tls=True, certificate=tmp_path)
    with pytest.raises(UsageError, match="received them for a plain one"):
        Security(root_certificates=tmp_path)


def test_a_missing_file_is_named(tmp_path):
    missing = tmp_path / "none.pem"
    with pytest.raises(UsageError, match=f"PEM file at {missing}, received: No such file"):
        Client("127.0.0.1:1", security=Security(tls=True, root_certificates=missing))
