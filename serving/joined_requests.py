"""Requests to one signature as one call, and its answer parted among them."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from schema import signatures

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
    return {
        name: tf.concat(
            _alike([_spread(r[name], n) for r, n in zip(requests, batches, strict=True)]), 0
        )
        for name in requests[0]
    }


def _spread(value: tf.Tensor, batch: int) -> tf.Tensor:
    return value if value.shape[0] == batch else tf.repeat(value, batch, axis=0)


def _alike(values: list[tf.Tensor]) -> list[tf.Tensor]:
    if values[0].shape.rank < 2:
        return values
    width = max(value.shape[1] for value in values)
    return [_padded(value, width - value.shape[1]) for value in values]


def _padded(value: tf.Tensor, missing: int) -> tf.Tensor:
    if not missing:
        return value
    nothing = tf.zeros([value.shape[0], missing, *value.shape[2:]], value.dtype)
    return tf.concat([nothing, value], axis=1)


def parted(outputs: Tensors, requests: Sequence[Tensors]) -> list[dict[str, tf.Tensor]] | None:
    """Each request's own rows of the `outputs`; None where those are not by row, so that nothing
    says whose they are. Lists are cut to what the request has asked for.
    """
    batches = [rows(request) for request in requests]
    if any(not v.shape.rank or v.shape[0] != sum(batches) for v in outputs.values()):
        return None
    parts = {name: tf.split(value, batches) for name, value in outputs.items()}
    return [
        {name: _cut(name, part[n], request) for name, part in parts.items()}
        for n, request in enumerate(requests)
    ]


def _cut(name: str, value: tf.Tensor, request: Tensors) -> tf.Tensor:
    if name not in _LISTED or signatures.K not in request or value.shape.rank != 2:
        return value
    return value[:, : int(tf.reduce_max(request[signatures.K]))]
