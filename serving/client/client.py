"""Clients of TensorFlow Serving's gRPC API on its published stubs: blocking, and for asyncio."""

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import grpc
import numpy as np
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.client.connection import (
    PLAIN,
    RetryPolicy,
    Security,
    build_call_metadata,
    open_async_channel,
    open_channel,
)
from serving.client.messages import (
    DeclaredInputs,
    VersionStatus,
    build_call_error,
    build_metadata_request,
    build_predict_request,
    build_status_request,
    parse_declared_inputs,
    parse_outputs,
    parse_statuses,
)


class Client:
    """Calls one server. Threads may share a client.

    A rejected call raises RequestError with its gRPC code, a server that cannot be reached
    UsageError. No call changes state on the server, so all are retried according to `RetryPolicy`.
    """

    def __init__(
        self,
        address: str,
        timeout_s: float = 5.0,
        security: Security = PLAIN,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    ) -> None:
        """Connects with the first call.

        Args:
            address: host:port of the server's gRPC side.
            timeout_s: Limit in seconds of a call with all its retries; a call may set another.
            security: TLS and the bearer token.
            retries: Which failed calls are retried.
        """
        self._address = address
        self._timeout_s = timeout_s
        self._retries = retries
        self._metadata = build_call_metadata(security)
        self._channel = open_channel(address, security)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self,
        model: str,
        inputs: Mapping[str, np.ndarray],
        version: int | None = None,
        signature_name: str | None = None,
        label: str | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Runs one signature of a model.

        Args:
            model: Name of the model.
            inputs: Arrays by input name: strings as arrays of str, bytes or objects of these,
                numbers in the type of the signature.
            version: Version of the model; the latest by default.
            signature_name: `serving_default` by default.
            label: Label of a version, instead of `version`.
            timeout_s: Limit in seconds with all retries; that of the client by default.

        Returns:
            Arrays by output name; strings are bytes in arrays of objects.

        Raises:
            RequestError: The server rejected the call, or did not answer in time.
            UsageError: The server cannot be reached, or both version and label are given.
        """
        request = build_predict_request(model, inputs, version, label, signature_name)
        call = self._predictions.Predict
        response = self._call(call, request, f"predict of {model}", timeout_s)
        return parse_outputs(response)

    def status(self, model: str, timeout_s: float | None = None) -> list[VersionStatus]:
        """State of each version of `model` that the server has tried to load, newest first."""
        request = build_status_request(model)
        call = self._models.GetModelStatus
        return parse_statuses(self._call(call, request, f"status of {model}", timeout_s))

    def inputs(self, model: str, timeout_s: float | None = None) -> DeclaredInputs:
        """TensorFlow type name and shape (-1: any size) of each input of `serving_default`."""
        request = build_metadata_request(model)
        call = self._predictions.GetModelMetadata
        return parse_declared_inputs(self._call(call, request, f"signatures of {model}", timeout_s))

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _call(
        self, call: Callable[..., Any], request: Any, what: str, timeout_s: float | None
    ) -> Any:
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + limit_s
        for attempt in itertools.count(1):
            remaining = deadline - time.monotonic()
            try:
                return call(request, timeout=remaining, metadata=self._metadata)
            except grpc.RpcError as error:
                remaining = deadline - time.monotonic()
                pause = self._retries.pause(attempt, error, remaining)
                if pause is None:
                    raise build_call_error(what, self._address, limit_s, error) from error
            time.sleep(pause)
        raise AssertionError("itertools.count never ends")


class AsyncClient:
    """As `Client`, with any number of concurrent calls. Create it inside the event loop that uses
    it. Cancelling a task also cancels its call on the server.
    """

    def __init__(
        self,
        address: str,
        timeout_s: float = 5.0,
        security: Security = PLAIN,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    ) -> None:
        """Connects with the first call.

        Args:
            address: host:port of the server's gRPC side.
            timeout_s: Limit in seconds of a call with all its retries; a call may set another.
            security: TLS and the bearer token.
            retries: Which failed calls are retried.
        """
        self._address = address
        self._timeout_s = timeout_s
        self._retries = retries
        self._metadata = build_call_metadata(security)
        self._channel = open_async_channel(address, security)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    async def predict(
        self,
        model: str,
        inputs: Mapping[str, np.ndarray],
        version: int | None = None,
        signature_name: str | None = None,
        label: str | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Runs one signature of a model; arguments, result and errors as in `Client.predict`."""
        request = build_predict_request(model, inputs, version, label, signature_name)
        call = self._predictions.Predict
        response = await self._call(call, request, f"predict of {model}", timeout_s)
        return parse_outputs(response)

    async def status(self, model: str, timeout_s: float | None = None) -> list[VersionStatus]:
        """State of each version of `model` that the server has tried to load, newest first."""
        request = build_status_request(model)
        call = self._models.GetModelStatus
        return parse_statuses(await self._call(call, request, f"status of {model}", timeout_s))

    async def inputs(self, model: str, timeout_s: float | None = None) -> DeclaredInputs:
        """TensorFlow type name and shape (-1: any size) of each input of `serving_default`."""
        request = build_metadata_request(model)
        call = self._predictions.GetModelMetadata
        return parse_declared_inputs(
            await self._call(call, request, f"signatures of {model}", timeout_s)
        )

    async def close(self) -> None:
        """Closes the connection and cancels the calls in progress."""
        await self._channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _call(
        self, call: Callable[..., Any], request: Any, what: str, timeout_s: float | None
    ) -> Any:
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + limit_s
        for attempt in itertools.count(1):
            remaining = deadline - time.monotonic()
            try:
                return await call(request, timeout=remaining, metadata=self._metadata)
            except grpc.RpcError as error:
                remaining = deadline - time.monotonic()
                pause = self._retries.pause(attempt, error, remaining)
                if pause is None:
                    raise build_call_error(what, self._address, limit_s, error) from error
            await asyncio.sleep(pause)
        raise AssertionError("itertools.count never ends")
