"""Health checks and reflection, as a probe uses them."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

from serving.server.app import run_server

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def check(channel, service):
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status


def test_health_follows_the_serving_versions(serving_dir):
    nothing = model_management_pb2.ReloadConfigRequest()
    nothing.config.model_config_list.SetInParent()
    with (
        run_server(serving_dir) as server,
        grpc.insecure_channel(server.grpc_address) as channel,
    ):
        assert (check(channel, ""), check(channel, "greeter")) == (SERVING, SERVING)
        with pytest.raises(grpc.RpcError) as error:
            check(channel, "nobody")
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        models.HandleReloadConfigRequest(nothing, timeout=10)
        assert (check(channel, ""), check(channel, "greeter")) == (NOT_SERVING, NOT_SERVING)


def test_reflection_lists_the_services(server):
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=10)
    assert {service.name for service in answer.list_services_response.service} == {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
