"""Requests to one signature as one call, and its answer parted among them."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from schema import signatures
from serving.servable import Outputs

Tensors = Mapping[str, tf.Tensor]
_PADDED = (
    signatures.HISTORY_ITEM_IDS,
    signatures.HISTORY_TIMESTAMPS,
    signatures.EXCLUDED_ITEM_IDS,
    signatures.ALLOWED_CATEGORIES,
)
_LISTED = (signatures.ITEM_IDS, signatures.SCORES, signatures.STAGES)
Shape = tuple[tuple[str, tuple[int, ...]], ...]


def rows(inputs: Tensors) -> int:
    """The batch of a request: the largest leading dimension; 0 where an input has none."""
    sizes = [value.shape[0] if value.shape.rank else 0 for value in inputs.values()]
    return 0 if 0 in sizes else max(sizes)


def shape(inputs: Tensors, pad: bool) -> Shape:
    """What requests must have in common to be joined: all but their batch and, with `pad`, the
    length of their lists.
    """
    return tuple(
        (name, () if pad and name in _PADDED else tuple(value.shape[1:]))
        for name, value in sorted(inputs.items())
    )


def joined(requests: Sequence[Tensors]) -> dict[str, tf.Tensor]:
    """All rows below each other. Shorter lists get "" and 0 in front, where they change nothing:
    the query model reads the latest items, and an id that is none is nothing. (TensorFlow Serving
    repeats a list's first value behind it, which would be one more event.)
    """
    batches = [rows(request) for request in requests]
    found = {}
    for name, first in requests[0].items():
        # Arrays: an op of TensorFlow for each request would take longer than its share of the call.
        parts = _alike([request[name].numpy() for request in requests])
        whole = [_spread(part, batch) for part, batch in zip(parts, batches, strict=True)]
        found[name] = tf.constant(np.concatenate(whole), first.dtype)
    return found


def _spread(value: np.ndarray, batch: int) -> np.ndarray:
    return value if len(value) == batch else np.repeat(value, batch, axis=0)


def _alike(values: list[np.ndarray]) -> list[np.ndarray]:
    if values[0].ndim < 2:
        return values
    width = max(value.shape[1] for value in values)
    return [_padded(value, width - value.shape[1]) for value in values]


def _padded(value: np.ndarray, missing: int) -> np.ndarray:
    if not missing:
        return value
    fill = b"" if value.dtype == object else 0
    nothing = np.full([len(value), missing, *value.shape[2:]], fill, value.dtype)
    return np.concatenate([nothing, value], axis=1)


def parted(outputs: Outputs, requests: Sequence[Tensors]) -> list[Outputs] | None:
    """Each request's own rows of the `outputs`; None where those are not by row, so that nothing
    says whose they are. Lists are cut to what the request has asked for.
    """
    ends = np.cumsum([rows(request) for request in requests])
    if any(not value.ndim or len(value) != ends[-1] for value in outputs.values()):
        return None
    parts = {name: np.split(value, ends[:-1]) for name, value in outputs.items()}
    return [
        {name: _cut(name, part[n], request) for name, part in parts.items()}
        for n, request in enumerate(requests)
    ]


def _cut(name: str, value: np.ndarray, request: Tensors) -> np.ndarray:
    if name not in _LISTED or signatures.K not in request or value.ndim != 2:
        return value
    return value[:, : int(request[signatures.K].numpy().max())]
