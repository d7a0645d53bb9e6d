"""Converts the JSON of TensorFlow Serving's REST API to arrays and back.

Row format: {"instances": [one value or object per row]} -> {"predictions": [...]}.
Column format: {"inputs": one tensor, or an object of tensors} -> {"outputs": ...}.
A string of arbitrary bytes is {"b64": "<base64>"}; outputs named *_bytes are returned in that form.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Literal

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from serving.config import RequestLimits
from serving.protocol import signature_defaults
from serving.protocol.errors import RequestError, invalid_argument
from serving.protocol.input_validation import suggest_input
from serving.protocol.limits import (
    DEFAULT_LIMITS,
    TensorHeader,
    check_row_count,
    check_tensor_sizes,
    is_recommendation,
)

Format = Literal["row", "column"]
_Infos = Mapping[str, meta_graph_pb2.TensorInfo]


def read_inputs(
    body: Mapping[str, Any],
    signature: meta_graph_pb2.SignatureDef,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> tuple[Format, dict[str, np.ndarray]]:
    """Parses the format and the named inputs of a request. Inputs with a default may be omitted, in
    row format from all rows; TensorFlow Serving's REST API requires all inputs.

    Raises RequestError INVALID_ARGUMENT if the body does not have exactly one of "instances" and
    "inputs", a name is not in the signature, a value does not fit its type, or the inputs exceed
    the `limits`.
    """
    if ("instances" in body) == ("inputs" in body):
        raise invalid_argument(
            "expected exactly one of the keys 'inputs' and 'instances' in the request"
        )
    if "instances" in body:
        columns = _columns_of_rows(body["instances"], signature, limits)
        if not columns:  # only the list itself gives the number of rows
            return "row", _repeated_defaults(signature, len(body["instances"]), limits)
        arrays = _arrays(columns, signature.inputs)
    else:
        arrays = _arrays(_named(body["inputs"], signature), signature.inputs)
    check_tensor_sizes(limits, signature, arrays)
    return "row" if "instances" in body else "column", arrays


def _repeated_defaults(
    signature: meta_graph_pb2.SignatureDef, rows: int, limits: RequestLimits
) -> dict[str, np.ndarray]:
    defaults = signature_defaults.read(signature)
    headers = {
        alias: TensorHeader(tf.dtypes.as_dtype(one.dtype), (rows * len(one), *one.shape[1:]))
        for alias, one in defaults.items()
        if one.ndim
    }
    check_tensor_sizes(limits, signature, headers)
    return {
        alias: np.repeat(one, rows, axis=0) if one.ndim else one for alias, one in defaults.items()
    }


def write_outputs(format_: Format, outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Builds the response body; a single output is written without its name.

    Raises RequestError INVALID_ARGUMENT if the outputs of a row request differ in their first
    dimension or a string is not UTF-8 (gRPC returns any bytes), and UNIMPLEMENTED for a type that
    JSON cannot represent.
    """
    values = {alias: _to_json(alias, array) for alias, array in outputs.items()}
    only = next(iter(values.values())) if len(values) == 1 else None
    if format_ == "column":
        return {"outputs": values if only is None else only}
    _check_batch(outputs)
    if only is not None:
        return {"predictions": only}
    rows = zip(*values.values(), strict=True)
    return {"predictions": [dict(zip(values, row, strict=True)) for row in rows]}


def _columns_of_rows(
    rows: Any, signature: meta_graph_pb2.SignatureDef, limits: RequestLimits
) -> dict[str, list[Any]]:
    if not isinstance(rows, list) or not rows:
        raise invalid_argument("expected 'instances' to be a list with at least one row")
    if is_recommendation(signature):
        check_row_count(limits, len(rows))
    named = [isinstance(row, dict) and not _is_base64(row) for row in rows]
    if not any(named):
        return _named(rows, signature)
    first = rows[named.index(True)]
    expected = set(signature.inputs) - (set(signature.defaults) - set(first))
    for position, row in enumerate(rows):
        if not named[position] or row.keys() != expected:
            raise _build_row_error(position, row, expected, signature)
    return {alias: [row[alias] for row in rows] for alias in sorted(expected)}


def _build_row_error(
    position: int, row: Any, expected: set[str], signature: meta_graph_pb2.SignatureDef
) -> RequestError:
    message = (
        f"Failed to process element: {position} of 'instances' list: it must be an object "
        f"whose keys are {','.join(sorted(expected)) or 'none, as in the first object'}"
    )
    unknown = sorted(set(row) - set(signature.inputs)) if isinstance(row, dict) else []
    return invalid_argument(
        f"{message}. {suggest_input(unknown[0], signature.inputs)}" if unknown else message
    )


def _named(value: Any, signature: meta_graph_pb2.SignatureDef) -> dict[str, Any]:
    """Input values by name; a bare value is the one input of a signature that has one."""
    infos = signature.inputs
    if not isinstance(value, dict) or _is_base64(value):
        if len(infos) != 1:
            raise invalid_argument(
                "expected an object of named inputs, since the signature does not have exactly "
                "one: "
                f"{','.join(sorted(infos))}"
            )
        return {next(iter(infos)): value}
    unknown = sorted(set(value) - set(infos))
    if unknown:  # TensorFlow Serving ignores it, and so a misspelt optional input
        known = suggest_input(unknown[0], infos)
        raise invalid_argument(f"JSON object: does not have named input: {known}")
    missing = sorted(set(infos) - set(signature.defaults) - set(value))
    if missing:
        raise invalid_argument(f"Missing named input: {missing[0]} in 'inputs' object.")
    return {alias: value[alias] for alias in infos if alias in value}


def _arrays(columns: Mapping[str, Any], infos: _Infos) -> dict[str, np.ndarray]:
    return {
        alias: _to_array(alias, value, tf.dtypes.as_dtype(infos[alias].dtype))
        for alias, value in columns.items()
    }


def _to_array(alias: str, value: Any, dtype: tf.DType) -> np.ndarray:
    try:
        array = np.array(value, dtype=object)
    except ValueError as error:  # lists of different depth
        raise invalid_argument(f"input {alias}: lists at one level must have one shape") from error
    types = set(map(type, array.ravel()))
    if list in types:
        raise _build_ragged_error(alias, value)
    unfit = types - _accepted(dtype)
    if unfit:
        names = ",".join(sorted(kind.__name__ for kind in unfit))
        raise invalid_argument(f"input {alias}: JSON {names} is not of expected type: {dtype.name}")
    if dtype == tf.string:
        texts = [_bytes(alias, value) for value in array.ravel()]
        return np.array(texts, object).reshape(array.shape)
    return _numbers(alias, array, dtype)


def _build_ragged_error(alias: str, value: Any) -> RequestError:
    lengths = sorted({len(row) for row in value if isinstance(row, list)})
    message = f"input {alias}: lists at one level must have one length"
    if len(lengths) < 2:
        return invalid_argument(message)
    return invalid_argument(
        f"{message}, received {lengths[0]} to {lengths[-1]}: fill the shorter ones in front "
        '("" or 0), or send such rows one by one'
    )


def _accepted(dtype: tf.DType) -> set[type]:
    if dtype == tf.string:
        return {str, dict}
    if dtype == tf.bool:
        return {bool}
    if dtype.is_integer:
        return {int}
    return {int, float} if dtype.is_floating else set()


def _bytes(alias: str, value: str | dict[str, Any]) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError as error:  # JSON can escape half of a surrogate pair
            raise invalid_argument(f"input {alias}: a string is not valid Unicode") from error
    if not _is_base64(value):
        raise invalid_argument(
            f"input {alias}: expected a string or one {{'b64': string}}, received an object"
        )
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_argument(f"input {alias}: Unable to base64 decode") from error


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _numbers(alias: str, array: np.ndarray, dtype: tf.DType) -> np.ndarray:
    """Converts `array` to `dtype`; rejects integers out of range and numbers that overflow."""
    if dtype.is_integer and array.size and not dtype.min <= array.min() <= array.max() <= dtype.max:
        raise invalid_argument(f"input {alias}: a number is out of the range of {dtype.name}")
    try:
        with np.errstate(over="ignore"):
            numbers = array.astype(dtype.as_numpy_dtype)
            lost = dtype.is_floating and (np.isinf(numbers) & ~np.isinf(array.astype(float))).any()
    except OverflowError:  # an integer beyond the largest double
        lost = True
    if lost:
        raise invalid_argument(f"input {alias}: a number does not fit {dtype.name}")
    return numbers


def _to_json(alias: str, array: np.ndarray) -> Any:
    if array.dtype == object:
        return _texts(alias, array)
    if array.dtype == np.float32:
        # The shortest decimal that parses to this float: 0.2 instead of 0.20000000298023224.
        return array.astype(str).astype(np.float64).tolist()
    dtype = tf.dtypes.as_dtype(array.dtype)
    if not (dtype.is_bool or dtype.is_integer or dtype.is_floating):
        raise RequestError(
            grpc.StatusCode.UNIMPLEMENTED,
            f"output {alias} has type {dtype.name}, which JSON cannot represent; use gRPC",
        )
    return array.tolist()


def _texts(alias: str, array: np.ndarray) -> Any:
    if alias.endswith("_bytes"):
        texts = [{"b64": base64.b64encode(text).decode("ascii")} for text in array.ravel()]
    else:
        try:
            texts = [text.decode("utf-8") for text in array.ravel()]
        except UnicodeDecodeError as error:
            raise invalid_argument(
                f"output {alias} has bytes that are not UTF-8; use gRPC, or name the output "
                f"{alias}_bytes"
            ) from error
    shaped = np.empty(array.size, dtype=object)
    shaped[:] = texts
    return shaped.reshape(array.shape).tolist()


def _check_batch(outputs: Mapping[str, np.ndarray]) -> None:
    sizes = {alias: len(array) if array.ndim else None for alias, array in outputs.items()}
    if None in sizes.values() or len(set(sizes.values())) > 1:
        raise invalid_argument(
            f"expected outputs with one batch size, received {sizes}; "
            "use the column format ('inputs')"
        )
