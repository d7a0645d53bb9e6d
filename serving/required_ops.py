"""Registers the op libraries that a SavedModel needs before TensorFlow can load it.

ScaNN is compiled against one TensorFlow minor version, and tensorflow-text is slow to import: each
is imported for a graph that holds its ops and for no other.
"""

import importlib

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.framework import op_def_registry

from schema.errors import TandemError

_SCANN_PREFIX = "Scann>"


def register(meta_graph: meta_graph_pb2.MetaGraphDef) -> None:
    """Imports what registers the graph's ops that TensorFlow itself does not bring.

    Raises TandemError in one sentence where a library does not load, or where ops remain that none
    of ours registers.
    """
    missing = unregistered(meta_graph)
    if any(op.startswith(_SCANN_PREFIX) for op in missing):
        _import("scann", "ScaNN")
    if any(not op.startswith(_SCANN_PREFIX) for op in missing):
        _import("tensorflow_text", "tensorflow-text")
    still_missing = unregistered(meta_graph)
    if still_missing:
        raise TandemError(
            "expected a SavedModel of TensorFlow's, ScaNN's and tensorflow-text's ops, received "
            f"one with {', '.join(still_missing)}; export it without them"
        )


def ops_of(meta_graph: meta_graph_pb2.MetaGraphDef) -> set[str]:
    """Names of all ops of the graph and its functions.

    A SavedModel's `stripped_op_list` lacks what stands only in a loop or a branch.
    """
    functions = meta_graph.graph_def.library.function
    nodes = [meta_graph.graph_def.node, *(function.node_def for function in functions)]
    names = {node.op for part in nodes for node in part}
    return names - {function.signature.name for function in functions}


def unregistered(meta_graph: meta_graph_pb2.MetaGraphDef) -> list[str]:
    """Ops of the graph that no library imported so far brings, sorted."""
    return sorted(name for name in ops_of(meta_graph) if op_def_registry.get(name) is None)


def _import(module: str, product: str) -> None:
    try:
        importlib.import_module(module)
    except (ImportError, tf.errors.OpError) as error:
        raise TandemError(
            f"this model needs {product}'s ops and {module} does not load with TensorFlow "
            f"{tf.__version__}; install the version that `tandem doctor` names "
            f"({str(error).splitlines()[0]})"
        ) from error
