"""Tiny real SavedModels, pushed as a pipeline pushes them, and a server of them."""

import pathlib

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.server.app import run_server
from serving.versions.local import LocalVersionStore


class Greeter(tf.Module):
    """total = version * k * (a + b) of each row; greeting = "v<version>:" + user_id."""

    def __init__(self, version):
        super().__init__()
        self.version = tf.Variable(tf.constant(float(version)))
        self.prefix = f"v{version}:"

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="user_id"),
            tf.TensorSpec([None, 2], tf.float32, name="x"),
            tf.TensorSpec([None], tf.int64, name="k"),
        ]
    )
    def serve(self, user_id, x, k):
        tf.debugging.assert_non_negative(k, "k must not be negative")
        total = tf.reduce_sum(x, axis=1) * tf.cast(k, tf.float32) * self.version
        return {"total": total, "greeting": self.prefix + user_id, "k": k}


class Echo(tf.Module):
    """One input, one output, both bytes."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="raw")])
    def serve(self, raw):
        return {"raw_bytes": raw}


def _save(module, folder):
    tf.saved_model.save(module, str(folder), signatures=module.serve)
    return folder


@pytest.fixture(scope="session")
def greeters(tmp_path_factory):
    """SavedModels of versions 1 and 2, outside any serving directory."""
    folder = tmp_path_factory.mktemp("greeters")
    return {version: _save(Greeter(version), folder / str(version)) for version in (1, 2)}


@pytest.fixture(scope="session")
def echo(tmp_path_factory):
    return _save(Echo(), tmp_path_factory.mktemp("echo") / "model")


@pytest.fixture
def serving_dir(tmp_path: pathlib.Path, greeters):
    folder = tmp_path / "serving"
    LocalVersionStore(folder).push({"greeter": greeters[1]})
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory, greeters, echo):
    """One server for the tests that only send requests."""
    folder = tmp_path_factory.mktemp("run") / "serving"
    LocalVersionStore(folder).push({"greeter": greeters[1], "echo": echo})
    with run_server(folder) as running:
        yield running


@pytest.fixture(scope="module")
def predictions(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def model_service(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield model_service_pb2_grpc.ModelServiceStub(channel)
