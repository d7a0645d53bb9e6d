"""TLS both ways and bearer tokens, over real handshakes with certificates made here."""

import grpc
import pytest

from schema.errors import UsageError
from serving.client.client import Client
from serving.client.connection import Security
from tests.serving.certificates import issue_all
from tests.serving.stub_server import Scripted, scripted

TIMEOUT_S = 3


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return issue_all(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls(certificates):
    """tls(service, mutual) -> address of a server with the certificate `server`."""

    def start(service, mutual=False):
        pair = tuple((certificates / f"server.{end}").read_bytes() for end in ("key", "pem"))
        ca = (certificates / "ca.pem").read_bytes() if mutual else None
        credentials = grpc.ssl_server_credentials([pair], ca, require_client_auth=mutual)
        return scripted(service, credentials)

    return start


def asked(address, security):
    with Client(address, TIMEOUT_S, security) as client:
        return client.predict("m", {})["calls"].item()


def test_a_server_whose_issuer_is_known(tls, certificates):
    with tls(Scripted()) as address:
        assert asked(address, Security(tls=True, root_certificates=certificates / "ca.pem")) == 1


@pytest.mark.parametrize("root", ["stranger.pem", None])
def test_a_server_with_an_unknown_issuer_is_refused(tls, certificates, root):
    service = Scripted()
    path = None if root is None else certificates / root
    with tls(service) as address, pytest.raises(UsageError, match="expected a server at"):
        asked(address, Security(tls=True, root_certificates=path))
    assert service.requests == []


def test_mutual_tls(tls, certificates):
    own = {"certificate": certificates / "client.pem", "key": certificates / "client.key"}
    root = certificates / "ca.pem"
    with tls(Scripted(), mutual=True) as address:
        assert asked(address, Security(tls=True, root_certificates=root, **own)) == 1
        with pytest.raises(UsageError, match="expected a server at"):
            asked(address, Security(tls=True, root_certificates=root))


def test_plain_text_to_a_tls_server_is_not_answered(tls):
    with tls(Scripted()) as address, pytest.raises(UsageError, match="expected a server at"):
        asked(address, Security())


def test_each_call_sends_the_token(tls, certificates):
    service = Scripted([(grpc.StatusCode.UNAVAILABLE, [])])
    root = certificates / "ca.pem"
    with tls(service) as address:
        asked(address, Security(tls=True, root_certificates=root, token="s3cret"))
    assert [sent["authorization"] for sent in service.metadata] == ["Bearer s3cret"] * 2


def test_no_token_no_header():
    service = Scripted()
    with scripted(service) as address:
        asked(address, Security())
    assert "authorization" not in service.metadata[0]


def test_the_token_is_in_no_representation():
    assert "s3cret" not in repr(Security(token="s3cret"))


@pytest.mark.parametrize("token", ["", "s3\ncret", "s3 cret", "s3crét", "s3cret\n"])
def test_invalid_tokens_are_refused(token):
    with pytest.raises(UsageError, match="expected a bearer token") as refused:
        Security(token=token)
    assert "s3" not in str(refused.value)


def test_parts_that_do_not_fit_together(tmp_path):
    with pytest.raises(UsageError, match="certificate and its key together"):
        Security(tls=True, certificate=tmp_path)
    with pytest.raises(UsageError, match="received them for a plain one"):
        Security(root_certificates=tmp_path)


def test_a_file_that_is_not_there(tmp_path):
    missing = tmp_path / "none.pem"
    with pytest.raises(UsageError, match=f"PEM file at {missing}, received: No such file"):
        Client("127.0.0.1:1", security=Security(tls=True, root_certificates=missing))
