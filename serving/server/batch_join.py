"""Requests to one signature as one call, and its answer parted among them."""

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
    """The batch of a request: the largest leading dimension; 0 where an input has none, or there is
    no input. Such a request is not joined with others.
    """
    sizes = [len(value) if value.ndim else 0 for value in inputs.values()]
    return 0 if 0 in sizes else max(sizes, default=0)


def compute_join_key(inputs: Arrays, pad: bool) -> JoinKey | None:
    """What requests must have in common to be joined: all but their batch and, with `pad`, the
    length of their lists: those up to 64 are alike, longer ones where they have as many binary
    digits, so that one long history does not make all that are joined with it long. None where it
    is run alone: without rows, or with a list so long that others would not gain by its company.
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
    """All rows below each other, the last one again until there are `padded_rows`.

    Shorter lists get "" and 0 in front, where they change nothing: the query model reads the latest
    items, and an id that is none is nothing. (TensorFlow Serving repeats a list's first value
    behind it, which would be one more event.) Widths are multiples of 8: TensorFlow keeps what it
    has prepared for each shape.
    """
    batches = [count_rows(request) for request in requests]
    batches[-1] += padded_rows - sum(batches)
    found = {}
    for name in requests[0]:
        parts = [request[name] for request in requests]
        if _is_list(name, parts[0]):
            parts = _pad_to_one_width(parts)
        whole = [_repeat_rows(part, batch) for part, batch in zip(parts, batches, strict=True)]
        found[name] = np.concatenate(whole)
    return found


def _repeat_rows(value: np.ndarray, batch: int) -> np.ndarray:
    """One row holds for all; else the last is repeated."""
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
    nothing = np.full([len(value), missing, *value.shape[2:]], fill, value.dtype)
    return np.concatenate([nothing, value], axis=1)


def split_outputs(
    outputs: Outputs, requests: Sequence[Arrays], padded_rows: int
) -> list[Outputs] | None:
    """Each request's own rows of the `outputs`; None where those are not by row, so that nothing
    says whose they are. Lists are cut to what the request has asked for.
    """
    if any(not value.ndim or len(value) != padded_rows for value in outputs.values()):
        return None
    ends = np.cumsum([count_rows(request) for request in requests])
    found = []
    for request, begin, end in zip(requests, [0, *ends[:-1]], ends, strict=True):
        own = {name: _cut(name, value[begin:end], request) for name, value in outputs.items()}
        found.append(own)
    return found


def _cut(name: str, value: np.ndarray, request: Arrays) -> np.ndarray:
    if name not in _LISTED or signatures.K not in request or value.ndim != 2:
        return value
    return value[:, : int(request[signatures.K].max())]
