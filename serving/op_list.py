"""Which ops a SavedModel is made of: what decides whether a stock TensorFlow Serving loads it."""

import dataclasses
import pathlib

from serving import required_ops
from serving.graph import saved_models


@dataclasses.dataclass(frozen=True)
class OpList:
    """Names of all ops of the graph and its functions, sorted."""

    tensorflow: list[str]
    """TensorFlow's own."""
    others: list[str]
    """Brought by other libraries; none where a stock server loads the model."""


def read(folder: pathlib.Path) -> OpList:
    """The ops of the SavedModel in `folder`, which is not loaded.

    To be asked in a process that has imported TensorFlow and no library with ops of its own: what
    such a one has registered counts as TensorFlow's. Raises TandemError where it is no SavedModel.
    """
    meta_graph = saved_models.meta_graph_of(folder)
    others = required_ops.unregistered(meta_graph)
    return OpList(sorted(required_ops.ops_of(meta_graph) - set(others)), others)
