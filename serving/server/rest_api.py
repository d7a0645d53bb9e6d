"""TensorFlow Serving's REST paths over the served versions, as an aiohttp application.

    POST /v1/models/M[/versions/V|/labels/L]:predict
    GET  /v1/models/M[/versions/V|/labels/L]            status
    GET  /v1/models/M[/versions/V|/labels/L]/metadata   signatures

Everything runs on the server's event loop except the calls themselves, see BatchQueue, and the
parsing of large bodies.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
from aiohttp import web
from google.protobuf import json_format
from prometheus_client import CONTENT_TYPE_LATEST
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2

from serving.config import RequestLimits
from serving.protocol import json_tensors
from serving.protocol.errors import RequestError, invalid_argument, translate_tensorflow_errors
from serving.protocol.limits import check_json_size
from serving.server import unsupported
from serving.server.grpc_model import build_model_status
from serving.server.grpc_predict import build_model_metadata
from serving.server.metrics import Metrics
from serving.server.options import ServerOptions
from serving.server.predictor import Predictor
from serving.server.request_log import REQUEST_ID_HEADER
from serving.server.servable import Outputs
from serving.server.served_versions import ServedVersions

_MODEL = r"/v1/models/{model:[^/:]+}"
_VERSION = r"/versions/{version:[0-9]+}"
_LABEL = r"/labels/{label:[^/:]+}"
_MAX_INT64 = 2**63 - 1

# TensorFlow Serving's mapping; all other codes are 500.
_HTTP_STATUS = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}

# In protobuf 5 the first option is named always_print_fields_with_no_presence.
_AS_SERVED: dict[str, Any] = {
    "including_default_value_fields": True,
    "preserving_proto_field_name": True,
}

_LONG_BYTES = 64 * 1024
_MOST_DIGITS = 19
_Read = TypeVar("_Read")
_AnswerFunction = Callable[[web.Request, bytes, str | None], Awaitable[str]]
"""Request, its body and its id in the log to JSON."""


def build_rest_application(
    served: ServedVersions, metrics: Metrics, predictor: Predictor, options: ServerOptions
) -> web.Application:
    """Builds the application; every response under /v1 is JSON, errors included.

    Args:
        served: Versions that serve.
        metrics: Metrics of the server, which count the requests.
        predictor: Runs the requests.
        options: Security, limits and the path of the metrics.
    """
    app = web.Application(
        client_max_size=options.max_message_bytes, middlewares=options.security.middlewares()
    )

    def counted(answer: _AnswerFunction) -> _AnswerFunction:
        async def counting(request: web.Request, body: bytes, named: str | None) -> str:
            model = served.get_serving_name(request.match_info.get("model", ""))
            with metrics.request(model, request.match_info.get("method", ""), "REST"):
                return await answer(request, body, named)

        return counting

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=metrics.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def route(method: str, path: str, answer: _AnswerFunction) -> None:
        app.router.add_route(
            method, path, _build_handler(counted(answer), predictor, options.body_s)
        )

    async def predict(request: web.Request, body: bytes, named: str | None) -> str:
        return await _predict(served, request, body, named, predictor)

    async def examples(request: web.Request, body: bytes, _: str | None) -> str:
        return _examples(served, request, body, predictor.limits)

    async def status(request: web.Request, *_: object) -> str:
        return _status(served, request)

    async def metadata(request: web.Request, *_: object) -> str:
        return _metadata(served, request)

    if options.metrics_path is not None:
        app.router.add_get(options.metrics_path, page)
    for model in (_MODEL, _MODEL + _VERSION, _MODEL + _LABEL):
        route("POST", model + ":{method:predict}", predict)
        route("POST", model + ":{method:classify|regress}", examples)
        route("GET", model, status)
        route("GET", model + "/metadata", metadata)
    route("*", "/v1/{path:.*}", _malformed)
    return app


def _build_handler(
    answer: _AnswerFunction, predictor: Predictor, body_s: float
) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.Response:
        with predictor.track_request():
            try:
                body = await asyncio.wait_for(request.read(), body_s)
            except asyncio.TimeoutError:
                return _refuse_body(
                    408,
                    f"expected the whole body within {body_s:g} s, received a part; send it faster",
                )
            except web.HTTPRequestEntityTooLarge as error:
                return _refuse_body(413, str(error.text))
            except web.RequestPayloadError as error:
                return _refuse_body(400, f"expected the body that its headers describe: {error}")
            except ConnectionError as error:  # the client has disconnected and does not read this
                return _refuse_body(499, str(error))
            return await _answer(answer, request, body, predictor)

    return handle


async def _answer(
    answer: _AnswerFunction, request: web.Request, body: bytes, predictor: Predictor
) -> web.Response:
    named = predictor.request_id(request.headers.get(REQUEST_ID_HEADER))
    try:
        text = await answer(request, body, named)
    except RequestError as error:
        text = json.dumps({"error": str(error)})
        status = _HTTP_STATUS.get(error.code, 500)
        later = {"Retry-After": "1"} if error.retry_ms is not None else None
        return web.json_response(text=text, status=status, headers=later)
    return web.json_response(text=text, headers={REQUEST_ID_HEADER: named} if named else None)


def _refuse_body(status: int, message: str) -> web.Response:
    response = web.json_response({"error": message}, status=status)
    response.force_close()  # the rest of the body must not be parsed as a request
    return response


async def _predict(
    served: ServedVersions,
    request: web.Request,
    body: bytes,
    named: str | None,
    predictor: Predictor,
) -> str:
    limits = predictor.limits
    parsed = await _run_in_thread_if_large(body, _parse_body, body, limits)
    signature_name = _get_signature_name(parsed)
    with served.using(_parse_spec(request)) as servable:
        signature = servable.signature_def(signature_name)
        format_, inputs = await _run_in_thread_if_large(
            body, json_tensors.read_inputs, parsed, signature, limits
        )
        outputs = await predictor.answer(servable, signature_name, inputs, (), float("inf"), named)
    return await _run_in_thread_if_large(body, _write_outputs, format_, outputs)


def _write_outputs(format_: json_tensors.Format, outputs: Outputs) -> str:
    return json.dumps(json_tensors.write_outputs(format_, outputs))


async def _run_in_thread_if_large(
    body: bytes, read: Callable[..., _Read], *arguments: Any
) -> _Read:
    """Calls `read`, for a large body in another thread, so that it does not block the loop."""
    with translate_tensorflow_errors():
        if len(body) < _LONG_BYTES:
            return read(*arguments)
        return await asyncio.get_running_loop().run_in_executor(None, read, *arguments)


def _status(served: ServedVersions, request: web.Request) -> str:
    status_request = get_model_status_pb2.GetModelStatusRequest(model_spec=_parse_spec(request))
    response = build_model_status(served, status_request)
    return json_format.MessageToJson(response, **_AS_SERVED)


def _metadata(served: ServedVersions, request: web.Request) -> str:
    metadata_request = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec=_parse_spec(request), metadata_field=["signature_def"]
    )
    response = build_model_metadata(served, metadata_request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    # TensorFlow Serving writes the map itself instead of an Any, which would have a type URL.
    return json.dumps(
        {
            "model_spec": _as_json(response.model_spec),
            "metadata": {"signature_def": _as_json(signatures)},
        }
    )


def _as_json(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(message, **_AS_SERVED)


def _examples(
    served: ServedVersions, request: web.Request, body: bytes, limits: RequestLimits
) -> str:
    parsed = _parse_body(body, limits)
    if "examples" not in parsed:
        raise invalid_argument(
            "When method is classify, key 'examples' is expected and was not found"
        )
    spec = _parse_spec(request)
    spec.signature_name = _get_signature_name(parsed)
    if request.match_info["method"] == "classify":
        unsupported.refuse_classify(served, spec)
    unsupported.refuse_regress(served, spec)


async def _malformed(request: web.Request, *_: object) -> str:
    raise invalid_argument(f"Malformed request: {request.method} {request.path}")


def _parse_spec(request: web.Request) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=_check_unicode(request.match_info["model"]))
    version = request.match_info.get("version")
    if version is not None:
        if len(version) > _MOST_DIGITS or int(version) > _MAX_INT64:
            raise invalid_argument(f"Failed to convert version: {version} to numeric.")
        spec.version.value = int(version)
    label = request.match_info.get("label")
    if label is not None:
        spec.version_label = _check_unicode(label)
    return spec


def _check_unicode(text: str) -> str:
    """Rejects half of a surrogate pair, which JSON can escape but no proto can store."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise invalid_argument(f"Malformed request: {text!r} is not valid Unicode")
    return text


def _get_signature_name(parsed: dict[str, Any]) -> str:
    signature_name = parsed.get("signature_name", "")
    if not isinstance(signature_name, str):
        raise invalid_argument("'signature_name' key must be a string value.")
    return _check_unicode(signature_name)


def _parse_body(body: bytes, limits: RequestLimits) -> dict[str, Any]:
    check_json_size(limits, body)
    try:
        parsed = json.loads(body)
    except RecursionError as error:
        raise invalid_argument("JSON Parse error: lists are nested too deeply") from error
    except ValueError as error:  # invalid JSON or UTF-8, or a number with thousands of digits
        raise invalid_argument(f"JSON Parse error: {error}") from error
    if not isinstance(parsed, dict):
        raise invalid_argument("JSON Value: Is not object")
    return parsed
