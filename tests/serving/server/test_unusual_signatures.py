"""Signatures of other models: inputs that are not tensors, and types that JSON cannot represent."""

import json
import urllib.error
import urllib.request

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from serving.server.app import run_server
from serving.versions.local import LocalVersionStore


class Model(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def turned(self, x):
        return {"turned": tf.complex(0 * x, x)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def halves(self, x):
        return {"half": tf.cast(x, tf.float16), "brain": tf.cast(x, tf.bfloat16)}


@pytest.fixture(scope="module")
def predict(tmp_path_factory):
    """predict(signature) -> status and JSON, for a model with one signature with a sparse input."""
    folder, model = tmp_path_factory.mktemp("unusual"), Model()
    signatures = {"serving_default": model.turned, "halves": model.halves}
    tf.saved_model.save(model, str(folder / "model"), signatures=signatures)
    _make_sparse(folder / "model" / "saved_model.pb")
    LocalVersionStore(folder / "serving").push({"model": folder / "model"})

    with run_server(folder / "serving") as server:

        def send(signature):
            body = {"signature_name": signature, "inputs": {"x": [0.5]}}
            url = f"{server.rest_url}/v1/models/model:predict"
            try:
                with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=30) as answer:
                    return answer.status, json.loads(answer.read())
            except urllib.error.HTTPError as error:
                return error.code, json.loads(error.read())

        yield send


def _make_sparse(path):
    """As estimators write them: with the tensor's three components instead of a name."""
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    signatures = saved.meta_graphs[0].signature_def
    signatures["sparse"].CopyFrom(signatures["halves"])
    info = signatures["sparse"].inputs["x"]
    name = info.name
    info.coo_sparse.values_tensor_name = name
    info.coo_sparse.indices_tensor_name = info.coo_sparse.dense_shape_tensor_name = name
    path.write_bytes(saved.SerializeToString())


def test_a_signature_with_a_sparse_input_is_ignored_and_others_serve(predict):
    expected = (400, {"error": 'Serving signature key "sparse" not found.'})
    assert predict("sparse") == expected
    assert predict("halves") == (200, {"outputs": {"brain": [0.5], "half": [0.5]}})


def test_an_output_that_json_cannot_represent_is_refused(predict):
    status, answer = predict("serving_default")
    assert (status, answer["error"]) == (
        501,
        "output turned has type complex64, which JSON cannot represent; use gRPC",
    )
