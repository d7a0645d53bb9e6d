"""Clients of TensorFlow Serving's gRPC API on the stock stubs: blocking, and for asyncio."""

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
    """Asks one server; every refusal is a TandemError in one sentence (RequestError has its gRPC
    code), a server that cannot be reached a UsageError. Threads may share a client.

    No call changes anything on the server, so each is retried as `RetryPolicy` says.
    """

    def __init__(
        self,
        address: str,
        timeout_s: float = 5.0,
        security: Security = PLAIN,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    ) -> None:
        """`address` is host:port of the gRPC side; `timeout_s` bounds each call with all its
        retries, where the call does not say otherwise.
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
        """Named outputs of one call; strings come back as bytes, in arrays of objects.

        Strings go as arrays of str, bytes or objects of these; numbers in the signature's own type.
        Latest version and `serving_default` where nothing else is asked for.
        """
        request = build_predict_request(model, inputs, version, label, signature_name)
        call = self._predictions.Predict
        response = self._ask(call, request, f"predict of {model}", timeout_s)
        return parse_outputs(response)

    def status(self, model: str, timeout_s: float | None = None) -> list[VersionStatus]:
        """Every version of `model` that the server tried, newest first."""
        request = build_status_request(model)
        call = self._models.GetModelStatus
        return parse_statuses(self._ask(call, request, f"status of {model}", timeout_s))

    def inputs(self, model: str, timeout_s: float | None = None) -> DeclaredInputs:
        """TensorFlow's type name and the shape (-1: any) of each input of `serving_default`."""
        request = build_metadata_request(model)
        call = self._predictions.GetModelMetadata
        return parse_declared_inputs(self._ask(call, request, f"signatures of {model}", timeout_s))

    def close(self) -> None:
        """Ends the connection."""
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

    def _ask(
        self, call: Callable[..., Any], request: Any, what: str, timeout_s: float | None
    ) -> Any:
        allowed = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + allowed
        for attempt in itertools.count(1):
            left = deadline - time.monotonic()
            try:
                return call(request, timeout=left, metadata=self._metadata)
            except grpc.RpcError as error:
                left = deadline - time.monotonic()
                pause = self._retries.pause(attempt, error, left)
                if pause is None:
                    raise build_call_error(what, self._address, allowed, error) from error
            time.sleep(pause)
        raise AssertionError("itertools.count ends never")


class AsyncClient:
    """As `Client`; many calls may be under way at once. To be made inside the event loop that it
    is used in. A task that is cancelled cancels its call on the server too.
    """

    def __init__(
        self,
        address: str,
        timeout_s: float = 5.0,
        security: Security = PLAIN,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    ) -> None:
        """`address` is host:port of the gRPC side; `timeout_s` bounds each call with all its
        retries, where the call does not say otherwise.
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
        """Named outputs of one call, as `Client.predict` gives them."""
        request = build_predict_request(model, inputs, version, label, signature_name)
        call = self._predictions.Predict
        response = await self._ask(call, request, f"predict of {model}", timeout_s)
        return parse_outputs(response)

    async def status(self, model: str, timeout_s: float | None = None) -> list[VersionStatus]:
        """Every version of `model` that the server tried, newest first."""
        request = build_status_request(model)
        call = self._models.GetModelStatus
        return parse_statuses(await self._ask(call, request, f"status of {model}", timeout_s))

    async def inputs(self, model: str, timeout_s: float | None = None) -> DeclaredInputs:
        """TensorFlow's type name and the shape (-1: any) of each input of `serving_default`."""
        request = build_metadata_request(model)
        call = self._predictions.GetModelMetadata
        return parse_declared_inputs(
            await self._ask(call, request, f"signatures of {model}", timeout_s)
        )

    async def close(self) -> None:
        """Ends the connection; calls under way are cancelled."""
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

    async def _ask(
        self, call: Callable[..., Any], request: Any, what: str, timeout_s: float | None
    ) -> Any:
        allowed = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + allowed
        for attempt in itertools.count(1):
            left = deadline - time.monotonic()
            try:
                return await call(request, timeout=left, metadata=self._metadata)
            except grpc.RpcError as error:
                left = deadline - time.monotonic()
                pause = self._retries.pause(attempt, error, left)
                if pause is None:
                    raise build_call_error(what, self._address, allowed, error) from error
            await asyncio.sleep(pause)
        raise AssertionError("itertools.count ends never")
