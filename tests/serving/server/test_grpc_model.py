"""gRPC ModelService, called through the stock stubs."""

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2

AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE


def build_status_request(name, version=None):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    return request


@pytest.mark.parametrize("version", [None, 1])
def test_a_serving_version_is_available(model_service, version):
    answer = model_service.GetModelStatus(build_status_request("greeter", version), timeout=10)
    (entry,) = answer.model_version_status
    assert (entry.version, entry.state) == (1, AVAILABLE)
    assert (entry.status.error_code, entry.status.error_message) == (0, "")


@pytest.mark.parametrize(
    ("status_request", "code", "message"),
    [
        (
            build_status_request("nobody"),
            "NOT_FOUND",
            "Could not find any versions of model nobody",
        ),
        (
            build_status_request("greeter", 9),
            "NOT_FOUND",
            "Could not find version 9 of model greeter",
        ),
        (get_model_status_pb2.GetModelStatusRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    ],
)
def test_status_refusals(model_service, status_request, code, message):
    with pytest.raises(grpc.RpcError) as error:
        model_service.GetModelStatus(status_request, timeout=10)
    assert (error.value.code().name, error.value.details()) == (code, message)
