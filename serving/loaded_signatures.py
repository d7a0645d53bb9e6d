"""A SavedModel in memory, by its signatures: functions of arrays.

As in TensorFlow Serving a session runs them. A call takes the interpreter's lock twice, at its
begin and at its end, whatever its number of inputs and outputs, and its ops run in the thread that
calls; a restored `tf.function` takes the lock for each tensor, and has other threads run its ops.
"""

import pathlib
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.util import deprecation

from schema.storage import plain_path

Arrays = Mapping[str, np.ndarray]
SignatureFunction = Callable[[Arrays], dict[str, np.ndarray]]
"""All inputs by name -> all outputs by name; strings are bytes objects."""

_IN_THE_CALLERS_THREAD = -1


def load(
    meta_graph: meta_graph_pb2.MetaGraphDef, folder: pathlib.Path
) -> dict[str, SignatureFunction]:
    """The signatures of `meta_graph`, which is that of the SavedModel in `folder`; those without
    outputs are none, nor are those whose inputs or outputs are no tensors but ops
    (`__saved_model_init_op`) or parts of sparse ones. The session lives as long as one of them
    does.

    Raises whatever TensorFlow raises where the SavedModel is damaged.
    """
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=_IN_THE_CALLERS_THREAD)
    graph = tf.Graph()
    with graph.as_default(), deprecation.silence():  # of what TensorFlow Serving uses
        session = tf.compat.v1.Session(graph=graph, config=config)
        tf.compat.v1.saved_model.loader.load(
            session, [tf.saved_model.SERVING], plain_path.link(str(folder))
        )
    return {
        name: _function(session, signature)
        for name, signature in meta_graph.signature_def.items()
        if signature.outputs and all(":" in info.name for info in _infos(signature))
    }


def _infos(signature: meta_graph_pb2.SignatureDef) -> list[meta_graph_pb2.TensorInfo]:
    return [*signature.inputs.values(), *signature.outputs.values()]


def _function(
    session: tf.compat.v1.Session, signature: meta_graph_pb2.SignatureDef
) -> SignatureFunction:
    inputs, outputs = sorted(signature.inputs), sorted(signature.outputs)
    call = session.make_callable(
        [signature.outputs[name].name for name in outputs],
        feed_list=[signature.inputs[name].name for name in inputs],
    )

    def run(given: Arrays) -> dict[str, np.ndarray]:
        return dict(zip(outputs, call(*(given[name] for name in inputs)), strict=True))

    return run
