"""A gRPC server that answers Predict according to a script, and records its requests."""

import contextlib
import time
from concurrent import futures

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class ScriptedService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """`failures`: (code, trailing metadata) of the first calls; each later call returns the number
    of calls so far. Each answer takes `seconds`.
    """

    def __init__(self, failures=(), seconds=0.0):
        self.failures = list(failures)
        self.seconds = seconds
        self.requests = []
        self.metadata = []
        self.moments = []

    def Predict(self, request, context):
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.moments.append(time.monotonic())
        time.sleep(self.seconds)
        if len(self.requests) <= len(self.failures):
            code, trailing = self.failures[len(self.requests) - 1]
            context.set_trailing_metadata(tuple(trailing))
            context.abort(code, f"failure {len(self.requests)}")
        response = predict_pb2.PredictResponse()
        response.outputs["calls"].CopyFrom(tf.make_tensor_proto(len(self.requests)))
        return response


@contextlib.contextmanager
def run_service(service, credentials=None):
    """Address of a server of `service`, over TLS if credentials are given."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()
