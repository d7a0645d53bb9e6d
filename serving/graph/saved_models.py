"""SavedModels on disk: reads graphs, imports the op libraries they need, and loads signatures.

ScaNN is compiled against one TensorFlow minor version, and tensorflow-text is slow to import: each
is imported only for a graph that contains its ops.

Signatures run in a session, as in TensorFlow Serving. A call acquires the interpreter's lock twice,
at its start and at its end, for any number of inputs and outputs, and its ops run in the calling
thread; a restored `tf.function` acquires the lock for each tensor and runs its ops in other
threads.
"""

import dataclasses
import importlib
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.python.framework import op_def_registry
from tensorflow.python.util import deprecation

from schema.errors import TandemError
from schema.storage import plain_path

_SCANN_PREFIX = "Scann>"
Arrays = Mapping[str, np.ndarray]
SignatureFunction = Callable[[Arrays], dict[str, np.ndarray]]
"""All inputs by name -> all outputs by name; strings are bytes objects."""
_IN_CALLING_THREAD = -1


def load_saved_model(folder: pathlib.Path) -> Any:
    """Loads the object saved in `folder`, after registering the ops that it needs. Raises the
    errors of `read_meta_graph` and `register_ops`, and those of TensorFlow for a damaged
    SavedModel.
    """
    register_ops(read_meta_graph(folder))
    return tf.saved_model.load(plain_path.link(str(folder)), tags=[tf.saved_model.SERVING])


def read_meta_graph(folder: pathlib.Path) -> meta_graph_pb2.MetaGraphDef:
    """Reads the serving graph of the SavedModel in `folder`, without its variables.

    Raises TandemError if the file has no such graph.
    """
    saved_model = saved_model_pb2.SavedModel()
    path = folder / "saved_model.pb"
    try:
        saved_model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise TandemError(
            f"expected a SavedModel in {path}, received other bytes; push it again"
        ) from error
    for meta_graph in saved_model.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == {tf.saved_model.SERVING}:
            return meta_graph
    raise TandemError(
        f"expected a graph tagged {tf.saved_model.SERVING!r} in {path}, received none; "
        "export the model with tf.saved_model.save"
    )


def register_ops(meta_graph: meta_graph_pb2.MetaGraphDef) -> None:
    """Imports the libraries that register the graph's ops beyond TensorFlow's own.

    Raises TandemError if a library does not load, or if no supported library has one of the ops.
    """
    missing = list_unregistered_ops(meta_graph)
    if any(op.startswith(_SCANN_PREFIX) for op in missing):
        _import_ops("scann", "ScaNN")
    if any(not op.startswith(_SCANN_PREFIX) for op in missing):
        _import_ops("tensorflow_text", "tensorflow-text")
    still_missing = list_unregistered_ops(meta_graph)
    if still_missing:
        raise TandemError(
            "expected a SavedModel of TensorFlow's, ScaNN's and tensorflow-text's ops, received "
            f"one with {', '.join(still_missing)}; export it without them"
        )


def list_ops(meta_graph: meta_graph_pb2.MetaGraphDef) -> set[str]:
    """Names of all ops of the graph and its functions.

    A SavedModel's `stripped_op_list` lacks ops that occur only in a loop or a branch.
    """
    functions = meta_graph.graph_def.library.function
    nodes = [meta_graph.graph_def.node, *(function.node_def for function in functions)]
    names = {node.op for part in nodes for node in part}
    return names - {function.signature.name for function in functions}


def list_unregistered_ops(meta_graph: meta_graph_pb2.MetaGraphDef) -> list[str]:
    """Ops of the graph that no library imported so far has registered, sorted."""
    return sorted(name for name in list_ops(meta_graph) if op_def_registry.get(name) is None)


def _import_ops(module: str, product: str) -> None:
    try:
        importlib.import_module(module)
    except (ImportError, tf.errors.OpError) as error:
        raise TandemError(
            f"this model needs {product}'s ops and {module} does not load with TensorFlow "
            f"{tf.__version__}; install the version that `tandem doctor` names "
            f"({str(error).splitlines()[0]})"
        ) from error


@dataclasses.dataclass(frozen=True)
class OpList:
    """Names of all ops of the graph and its functions, sorted."""

    tensorflow: list[str]
    """TensorFlow's own."""
    others: list[str]
    """Ops of other libraries; empty if an unmodified server can load the model."""


def read_op_list(folder: pathlib.Path) -> OpList:
    """Lists the ops of the SavedModel in `folder` without loading it.

    Call it in a process that has imported TensorFlow and no other library with ops: registered ops
    of such a library count as TensorFlow's. Raises TandemError if it is not a SavedModel.
    """
    meta_graph = read_meta_graph(folder)
    others = list_unregistered_ops(meta_graph)
    return OpList(sorted(list_ops(meta_graph) - set(others)), others)


def load_signatures(
    meta_graph: meta_graph_pb2.MetaGraphDef, folder: pathlib.Path
) -> dict[str, SignatureFunction]:
    """Loads the signatures of `meta_graph`, the graph of the SavedModel in `folder`.

    Signatures without outputs are left out, and so are those with ops (`__saved_model_init_op`) or
    parts of sparse tensors as inputs or outputs. The session exists as long as one of the
    functions does. Raises the errors of TensorFlow for a damaged SavedModel.
    """
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=_IN_CALLING_THREAD)
    graph = tf.Graph()
    with graph.as_default(), deprecation.silence():  # session API, as in TensorFlow Serving
        session = tf.compat.v1.Session(graph=graph, config=config)
        tf.compat.v1.saved_model.loader.load(
            session, [tf.saved_model.SERVING], plain_path.link(str(folder))
        )
    return {
        name: _make_function(session, signature)
        for name, signature in meta_graph.signature_def.items()
        if signature.outputs and all(":" in info.name for info in _list_tensor_infos(signature))
    }


def _list_tensor_infos(signature: meta_graph_pb2.SignatureDef) -> list[meta_graph_pb2.TensorInfo]:
    return [*signature.inputs.values(), *signature.outputs.values()]


def _make_function(
    session: tf.compat.v1.Session, signature: meta_graph_pb2.SignatureDef
) -> SignatureFunction:
    inputs, outputs = sorted(signature.inputs), sorted(signature.outputs)
    call = session.make_callable(
        [signature.outputs[name].name for name in outputs],
        feed_list=[signature.inputs[name].name for name in inputs],
    )

    def run(values: Arrays) -> dict[str, np.ndarray]:
        return dict(zip(outputs, call(*(values[name] for name in inputs)), strict=True))

    return run
