"""Fixtures of all tests: Keras 2 before TensorFlow, the shared data sets, and object stores."""

import os

# TensorFlow reads these on import, and test modules import it.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import functools
import json
import pathlib
import signal
import socket
import sys
import uuid
from collections.abc import Iterator

import hypothesis
import pytest

# A slow machine must not fail a test: pytest's timeout ends tests that hang.
hypothesis.settings.register_profile("tandem", deadline=None)
hypothesis.settings.load_profile("tandem")

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True, scope="module")
def reset_determinism() -> Iterator[None]:
    """Ends the determinism that training enables for the whole process, after each test module:
    with it, no servable can read the clock.
    """
    yield
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework import config

        config.disable_op_determinism()


@pytest.fixture(autouse=True, scope="session")
def no_arguments() -> Iterator[None]:
    """Hides pytest's arguments from TFX's Beam executors, which parse `sys.argv`: pytest's `-v` is
    absl's `--verbosity`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", sys.argv[:1])
        yield


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handles SIGINT, also in child processes: a shell makes background processes ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """Folder of the public data sets: $TANDEM_DATA, else ../shared/data beside the checkout."""
    folder = pathlib.Path(os.environ.get("TANDEM_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            f"needs the public data sets: no folder {folder}, set TANDEM_DATA to their folder"
        )
    return folder


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """URL of an initially empty S3 server in this process."""
    from botocore.loaders import JSONFileLoader
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        # Beam creates a client for each file, and each would parse botocore's S3 model again.
        load = functools.cache(JSONFileLoader().load_file)
        patch.setattr(JSONFileLoader, "load_file", staticmethod(load))
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def gs_server() -> Iterator[str]:
    """URL of an initially empty emulator of Google Cloud Storage in this process."""
    from gcp_storage_emulator.server import create_server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket="bucket")
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def gs_bucket(gs_server, monkeypatch, tmp_path) -> str:
    """gs://BUCKET/NAME, an empty location that this process can access."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "nobody@nowhere",
        "private_key_id": "1",
        "private_key": key.decode(),
        "token_uri": f"{gs_server}/token",
    }
    (tmp_path / "account.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", gs_server)
    return f"gs://bucket/{uuid.uuid4().hex[:12]}"


@pytest.fixture
def bucket(s3_server, monkeypatch) -> str:
    """s3://NAME of a new bucket, which this process and its child processes can access."""
    import boto3

    name = f"bucket-{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"
