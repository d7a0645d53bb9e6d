"""SavedModels on disk: their graph, and what they were saved from."""

import pathlib
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from schema.errors import TandemError
from schema.storage import plain_path
from serving import required_ops


def restored(folder: pathlib.Path) -> Any:
    """The object that was saved in `folder`, after the ops that it needs were registered. Raises as
    `meta_graph_of`, and whatever TensorFlow raises where its parts are damaged.
    """
    required_ops.register(meta_graph_of(folder))
    return tf.saved_model.load(plain_path.link(str(folder)), tags=[tf.saved_model.SERVING])


def meta_graph_of(folder: pathlib.Path) -> meta_graph_pb2.MetaGraphDef:
    """The graph for serving of the SavedModel in `folder`, without its variables.

    Raises TandemError where there is none.
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
