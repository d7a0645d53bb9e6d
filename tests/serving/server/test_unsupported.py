"""Errors of Classify, Regress and MultiInference for each signature."""

import pytest
import tensorflow as tf
from tensorflow_serving.apis import inference_pb2, model_pb2

from serving.protocol.errors import RequestError
from serving.server import unsupported
from serving.server.servable import load_servable
from serving.server.served_versions import ServedVersions


@pytest.fixture(scope="module")
def scorer(tmp_path_factory):
    """Signature `fits` has the output `outputs`, `classes` has `classes`, and `three` has three."""
    module = tf.Module()
    text = tf.TensorSpec([None], tf.string, name="inputs")
    module.fits = tf.function(lambda inputs: {"outputs": tf.strings.length(inputs)}, [text])
    module.classes = tf.function(lambda inputs: {"classes": inputs}, [text])
    module.three = tf.function(lambda inputs: {"a": inputs, "b": inputs, "c": inputs}, [text])
    folder = tmp_path_factory.mktemp("scorer")
    names = ("fits", "classes", "three")
    tf.saved_model.save(module, str(folder), {name: getattr(module, name) for name in names})
    served = ServedVersions()
    served.add(load_servable("scorer", 1, folder))
    return served


def spec(signature_name):
    return model_pb2.ModelSpec(name="scorer", signature_name=signature_name)


@pytest.mark.parametrize(
    ("refuse", "signature_name", "code", "message"),
    [
        ("classify", "classes", "UNIMPLEMENTED", "Classify is not implemented"),
        ("classify", "fits", "INVALID_ARGUMENT", 'at least one of "classes" or "scores"'),
        ("classify", "three", "INVALID_ARGUMENT", "Expected one or two output Tensors, found 3"),
        ("regress", "fits", "UNIMPLEMENTED", "Regress is not implemented"),
        ("regress", "classes", "INVALID_ARGUMENT", "No regression outputs found"),
        ("regress", "three", "INVALID_ARGUMENT", "Expected one output Tensor"),
    ],
)
def test_matching_and_mismatched_inputs(scorer, refuse, signature_name, code, message):
    with pytest.raises(RequestError, match=message) as error:
        getattr(unsupported, f"refuse_{refuse}")(scorer, spec(signature_name))
    assert error.value.code.name == code


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([("scorer", "fits"), ("other", "fits")], "must access the same model name"),
        ([("scorer", "fits"), ("", "fits")], "Found ModelSpec with an empty model name"),
        ([("scorer", "fits"), ("scorer", "fits")], "Duplicate evaluation of signature: fits"),
        ([("scorer", "none")], "Requested signature not found in model graph: none"),
        ([("scorer", "fits")], "MultiInference is not implemented"),
    ],
)
def test_several_tasks(scorer, tasks, message):
    request = inference_pb2.MultiInferenceRequest()
    for model, signature_name in tasks:
        task = request.tasks.add(method_name="tensorflow/serving/regress")
        task.model_spec.name = model
        task.model_spec.signature_name = signature_name
    with pytest.raises(RequestError, match=message):
        unsupported.refuse_multi_inference(scorer, request)
