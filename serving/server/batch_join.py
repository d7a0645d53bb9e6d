"""Joins requests to one signature into one call, and splits its outputs among them."""

from collections.abc import Sequence

import numpy as np

from schema import signatures
from serving.graph.saved_models import Arrays
from serving.server.servable import Outputs

_PADDED = (
    signatures.HISTORY_ITEM_IDS,
    signatures.HISTORY_TIMESTAMPS,
    signatures.EXCLUDED_ITEM_IDS,
    signatures.ALLOWED_CATEGORIES,
)
_LISTED = (signatures.ITEM_IDS, signatures.SCORES, signatures.STAGES)
_SHORT = 64
_ALONE = 4096
_STEP = 8
JoinKey = tuple[tuple[str, tuple[int, ...]], ...]


def count_rows(inputs: Arrays) -> int:
    """Batch size of a request: the largest leading dimension; 0 if an input is a scalar or empty,
    or there are no inputs. Such a request is not joined with others.
    """
    sizes = [len(value) if value.ndim else 0 for value in inputs.values()]
    return 0 if 0 in sizes else max(sizes, default=0)


def compute_join_key(inputs: Arrays, pad: bool) -> JoinKey | None:
    """Key that requests must share to be joined: names and shapes of inputs, without the batch
    size.

    With `pad`, list lengths are rounded: those up to 64 are equal, longer ones if they have the
    same number of binary digits, so that one long history does not pad all others to its length.
    None means that the request runs alone: it has no rows, or a list too long to gain from joining.
    """
    if not count_rows(inputs) or any(
        _is_list(name, value) and value.shape[1] > _ALONE for name, value in inputs.items()
    ):
        return None
    return tuple(
        (
            name,
            (_round_width(value.shape[1]),) if pad and _is_list(name, value) else value.shape[1:],
        )
        for name, value in sorted(inputs.items())
    )


def _is_list(name: str, value: np.ndarray) -> bool:
    return name in _PADDED and value.ndim > 1


def _round_width(width: int) -> int:
    return 0 if width <= _SHORT else width.bit_length()


def join_requests(requests: Sequence[Arrays], padded_rows: int) -> dict[str, np.ndarray]:
    """Concatenates all rows and repeats the last one up to `padded_rows`.

    Shorter lists are padded in front with "" and 0, which does not change the result: the query
    model reads the latest items, and ignores empty ids. (TensorFlow Serving pads at the end with
    the first value, which would add an event.) Widths are multiples of 8, since TensorFlow caches
    work for each shape.
    """
    batches = [count_rows(request) for request in requests]
    batches[-1] += padded_rows - sum(batches)
    joined = {}
    for name in requests[0]:
        parts = [request[name] for request in requests]
        if _is_list(name, parts[0]):
            parts = _pad_to_one_width(parts)
        whole = [_repeat_rows(part, batch) for part, batch in zip(parts, batches, strict=True)]
        joined[name] = np.concatenate(whole)
    return joined


def _repeat_rows(value: np.ndarray, batch: int) -> np.ndarray:
    """Repeats a single row for all, or the last row up to `batch`."""
    missing = batch - len(value)
    return np.concatenate([value, np.repeat(value[-1:], missing, axis=0)]) if missing else value


def _pad_to_one_width(values: list[np.ndarray]) -> list[np.ndarray]:
    width = max(value.shape[1] for value in values)
    width += -width % _STEP
    return [_pad_front(value, width - value.shape[1]) for value in values]


def _pad_front(value: np.ndarray, missing: int) -> np.ndarray:
    if not missing:
        return value
    fill = b"" if value.dtype == object else 0
    padding = np.full([len(value), missing, *value.shape[2:]], fill, value.dtype)
    return np.concatenate([padding, value], axis=1)


def split_outputs(
    outputs: Outputs, requests: Sequence[Arrays], padded_rows: int
) -> list[Outputs] | None:
    """Selects the rows of each request from the `outputs`, with lists cut to its `k`. None if the
    outputs do not have one row per input row, and so cannot be split.
    """
    if any(not value.ndim or len(value) != padded_rows for value in outputs.values()):
        return None
    ends = np.cumsum([count_rows(request) for request in requests])
    parts = []
    for request, begin, end in zip(requests, [0, *ends[:-1]], ends, strict=True):
        own = {name: _cut(name, value[begin:end], request) for name, value in outputs.items()}
        parts.append(own)
    return parts


def _cut(name: str, value: np.ndarray, request: Arrays) -> np.ndarray:
    if name not in _LISTED or signatures.K not in request or value.ndim != 2:
        return value
    return value[:, : int(request[signatures.K].max())]
