"""One loaded version of one model: its signatures and calls."""

import collections
import dataclasses
import pathlib
from collections.abc import Collection, Mapping, Sequence

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from schema.signatures import SERVING_DEFAULT
from serving.graph.item_table import count_table_items
from serving.graph.saved_models import (
    SignatureFunction,
    load_signatures,
    read_meta_graph,
    register_ops,
)
from serving.protocol import signature_defaults
from serving.protocol.errors import RequestError, invalid_argument, translate_tensorflow_errors
from serving.protocol.input_validation import (
    check_input_names,
    check_recommendation_values,
    format_names,
)
from serving.protocol.limits import TensorHeaders, is_recommendation

Outputs = dict[str, np.ndarray]
"""Arrays by output name; strings are bytes objects."""


@dataclasses.dataclass(frozen=True)
class Servable:
    """A SavedModel in memory; thread-safe."""

    name: str
    version: int
    signature_defs: Mapping[str, meta_graph_pb2.SignatureDef]
    signatures: Mapping[str, SignatureFunction]
    """Functions that run the signatures; they keep the model's variables in memory."""
    defaults: Mapping[str, Mapping[str, np.ndarray]] = dataclasses.field(default_factory=dict)
    """Defaults of omitted inputs, by signature and input."""
    items: int | None = None
    """Size of its catalogue, None without one."""

    def signature_def(self, signature_name: str) -> meta_graph_pb2.SignatureDef:
        """The signature of that name, `serving_default` for "".

        Raises RequestError FAILED_PRECONDITION where there is none.
        """
        name = signature_name or SERVING_DEFAULT
        if name not in self.signature_defs or name not in self.signatures:
            raise RequestError(
                grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        return self.signature_defs[name]

    def predict(
        self,
        signature_name: str,
        inputs: Mapping[str, np.ndarray],
        output_filter: Sequence[str] = (),
    ) -> Outputs:
        """Runs one signature and returns the outputs in `output_filter`, or all if it is empty.
        Inputs with a default may be omitted.

        Raises RequestError: FAILED_PRECONDITION for an unknown signature, INVALID_ARGUMENT for
        inputs or outputs that do not match it, and the code of the op if an op rejects the values.
        """
        call = self.call(signature_name, inputs, output_filter)
        return call.run(call.inputs)

    def check_names(self, signature_name: str, sent: Collection[str]) -> None:
        """Checks the names of inputs; raises the errors of `predict`."""
        name = signature_name or SERVING_DEFAULT
        check_input_names(self.signature_def(name), sent, self.defaults.get(name, {}))

    def check(self, signature_name: str, headers: TensorHeaders) -> None:
        """Checks names, types and shapes of inputs; raises the errors of `predict`."""
        name = signature_name or SERVING_DEFAULT
        _check_inputs(self.signature_def(name), headers, self.defaults.get(name, {}))

    def call(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], output_filter: Sequence[str]
    ) -> "Call":
        """Prepares the call that `predict` runs; raises the same errors for invalid arguments."""
        name = signature_name or SERVING_DEFAULT
        signature, defaults = self.signature_def(name), self.defaults.get(name, {})
        _check_inputs(signature, inputs, defaults)
        complete = {**defaults, **inputs}
        if is_recommendation(signature):
            check_recommendation_values(complete)
        wanted = _select_outputs(signature, output_filter)
        return Call(self.signatures[name], name, complete, tuple(wanted))


@dataclasses.dataclass(frozen=True)
class Call:
    """A validated call of a signature."""

    function: SignatureFunction
    signature_name: str
    inputs: dict[str, np.ndarray]
    """All inputs, including defaults."""
    wanted: tuple[str, ...]

    @property
    def signature_and_outputs(self) -> tuple[str, tuple[str, ...]]:
        """Signature and outputs: calls of a servable for which these are equal may be joined."""
        return self.signature_name, self.wanted

    def run(self, inputs: Mapping[str, np.ndarray]) -> Outputs:
        """Computes the wanted outputs; raises RequestError with the code of an op that fails."""
        with translate_tensorflow_errors():
            outputs = self.function(inputs)
        return {alias: outputs[alias] for alias in self.wanted}


def load_servable(name: str, version: int, folder: pathlib.Path) -> Servable:
    """Loads the SavedModel in `folder`, after registering the ops that it needs.

    Raises TandemError if the file is not a SavedModel for serving, and the errors of TensorFlow for
    a damaged one.
    """
    meta_graph = read_meta_graph(folder)
    register_ops(meta_graph)
    declared = dict(meta_graph.signature_def)
    defaults = {key: signature_defaults.read(signature) for key, signature in declared.items()}
    functions = load_signatures(meta_graph, folder)
    return Servable(name, version, declared, functions, defaults, count_table_items(folder))


def _check_inputs(
    signature: meta_graph_pb2.SignatureDef,
    inputs: TensorHeaders,
    defaults: Mapping[str, np.ndarray],
) -> None:
    check_input_names(signature, inputs, defaults)
    for alias, value in inputs.items():
        info = signature.inputs[alias]
        expected, received = tf.dtypes.as_dtype(info.dtype), tf.dtypes.as_dtype(value.dtype)
        if received != expected:
            raise invalid_argument(
                f"input {alias} expects type {expected.name} but {received.name} is provided"
            )
        # The function itself would accept any shape and compute a wrong result.
        if not _fits(value.shape, info.tensor_shape):
            shape = tf.TensorShape(info.tensor_shape)  # pyright: ignore[reportArgumentType] takes protos
            raise invalid_argument(
                f"input {alias} expects shape {shape} but {tf.TensorShape(value.shape)} is provided"
            )


def _fits(shape: tuple[int, ...], expected: tensor_shape_pb2.TensorShapeProto) -> bool:
    if expected.unknown_rank:
        return True
    sizes = [dim.size for dim in expected.dim]
    return len(shape) == len(sizes) and all(
        size in (-1, received) for received, size in zip(shape, sizes, strict=True)
    )


def _select_outputs(
    signature: meta_graph_pb2.SignatureDef, output_filter: Sequence[str]
) -> list[str]:
    unknown = [alias for alias in output_filter if alias not in signature.outputs]
    if unknown:
        raise invalid_argument(
            f"output tensor alias not found in signature: {unknown[0]} Outputs expected to be in "
            f"the set {format_names(signature.outputs)}."
        )
    if len(set(output_filter)) < len(output_filter):
        (repeated, _), *_ = collections.Counter(output_filter).most_common(1)
        raise invalid_argument(f"duplicate output tensor alias: {repeated}")
    return list(output_filter) or sorted(signature.outputs)
