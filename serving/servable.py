"""One loaded version of one model: its signatures, and a call of them."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from schema.signatures import SERVING_DEFAULT
from serving import loaded_signatures, required_ops, saved_models, signature_defaults
from serving.loaded_signatures import SignatureFunction
from serving.request_error import RequestError, invalid, tensorflow_errors

Outputs = dict[str, np.ndarray]
"""By name; strings are bytes objects."""


@dataclasses.dataclass(frozen=True)
class Servable:
    """A SavedModel in memory. Calls are safe from any number of threads at once."""

    name: str
    version: int
    signature_defs: Mapping[str, meta_graph_pb2.SignatureDef]
    signatures: Mapping[str, SignatureFunction]
    """What runs them; the model's variables live as long as these do."""
    defaults: Mapping[str, Mapping[str, np.ndarray]] = dataclasses.field(default_factory=dict)
    """By signature and input: what is taken where a request leaves the input out."""

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
        """Outputs of one signature, all of them where `output_filter` is empty. Inputs that have a
        default may be left out.

        Raises RequestError: FAILED_PRECONDITION for an unknown signature, INVALID_ARGUMENT for
        inputs or outputs that do not fit it, and the op's own code where an op refuses the values.
        """
        call = self.call(signature_name, inputs, output_filter)
        return call.run(call.inputs)

    def call(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], output_filter: Sequence[str]
    ) -> "Call":
        """What `predict` would run; raises as it does for what does not fit."""
        name = signature_name or SERVING_DEFAULT
        signature, defaults = self.signature_def(name), self.defaults.get(name, {})
        _check_inputs(signature, inputs, defaults)
        wanted = _wanted_outputs(signature, output_filter)
        return Call(self.signatures[name], name, {**defaults, **inputs}, tuple(wanted))


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of a signature that fits it."""

    function: SignatureFunction
    signature_name: str
    inputs: dict[str, np.ndarray]
    """All of them."""
    wanted: tuple[str, ...]

    @property
    def asks(self) -> tuple[str, tuple[str, ...]]:
        """What is asked for: calls of a servable that ask alike may be joined."""
        return self.signature_name, self.wanted

    def run(self, inputs: Mapping[str, np.ndarray]) -> Outputs:
        """The outputs wanted, of these inputs; RequestError with its code where an op refuses."""
        with tensorflow_errors():
            outputs = self.function(inputs)
        return {alias: outputs[alias] for alias in self.wanted}


def load(name: str, version: int, folder: pathlib.Path) -> Servable:
    """Loads the SavedModel in `folder`, after registering the ops that it needs.

    Raises TandemError where the file is no SavedModel for serving, and whatever TensorFlow raises
    where its parts are damaged.
    """
    meta_graph = saved_models.meta_graph_of(folder)
    required_ops.register(meta_graph)
    declared = dict(meta_graph.signature_def)
    defaults = {key: signature_defaults.read(signature) for key, signature in declared.items()}
    return Servable(name, version, declared, loaded_signatures.load(meta_graph, folder), defaults)


def _check_inputs(
    signature: meta_graph_pb2.SignatureDef,
    inputs: Mapping[str, np.ndarray],
    defaults: Mapping[str, np.ndarray],
) -> None:
    _check_names(signature, set(inputs), set(defaults))
    for alias, value in inputs.items():
        info = signature.inputs[alias]
        expected, received = tf.dtypes.as_dtype(info.dtype), tf.dtypes.as_dtype(value.dtype)
        if received != expected:
            raise invalid(
                f"input {alias} expects type {expected.name} but {received.name} is provided"
            )
        # The function itself would take any shape and compute nonsense from it.
        if not _fits(value.shape, info.tensor_shape):
            shape = tf.TensorShape(info.tensor_shape)  # pyright: ignore[reportArgumentType] takes protos
            raise invalid(
                f"input {alias} expects shape {shape} but {tf.TensorShape(value.shape)} is provided"
            )


def _fits(shape: tuple[int, ...], expected: tensor_shape_pb2.TensorShapeProto) -> bool:
    if expected.unknown_rank:
        return True
    sizes = [dim.size for dim in expected.dim]
    return len(shape) == len(sizes) and all(
        size in (-1, given) for given, size in zip(shape, sizes, strict=True)
    )


def _check_names(
    signature: meta_graph_pb2.SignatureDef, sent: set[str], optional: set[str]
) -> None:
    """In TensorFlow Serving's order and words."""
    expected = set(signature.inputs)
    if len(sent) > len(expected) or (len(sent) < len(expected) and not optional):
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({_listed(sent)}) != len({_listed(expected)}). "
            f"Sent extra: {_listed(sent - expected)}. "
            f"Missing but required: {_listed(expected - sent)}."
        )
    for alias in sorted(expected - sent - optional):
        raise invalid(
            f"Signature input alias: {alias}(feed name: {signature.inputs[alias].name}) not found "
            "in request and no default value provided. Inputs expected to be in the request "
            f"{_listed(sent)}, or default input alias set: {','.join(sorted(optional))}"
        )
    if sent - expected:
        raise invalid(
            "Inputs contains invalid name. Used request inputs: "
            f"{','.join(sorted(sent & expected))}, request input: {','.join(sorted(sent))}"
        )


def _wanted_outputs(
    signature: meta_graph_pb2.SignatureDef, output_filter: Sequence[str]
) -> list[str]:
    unknown = [alias for alias in output_filter if alias not in signature.outputs]
    if unknown:
        raise invalid(
            f"output tensor alias not found in signature: {unknown[0]} Outputs expected to be in "
            f"the set {_listed(set(signature.outputs))}."
        )
    repeated = [alias for alias in output_filter if list(output_filter).count(alias) > 1]
    if repeated:
        raise invalid(f"duplicate output tensor alias: {repeated[0]}")
    return list(output_filter) or sorted(signature.outputs)


def _listed(names: set[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
