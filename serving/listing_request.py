"""Requests to `retrieval` and `recommender` in the form of `schema.signatures`."""

from collections.abc import Mapping, Sequence

import numpy as np

from schema import signatures
from schema.errors import UsageError

_MISSING = {"string": b"", "float32": np.nan, "int64": 0}


def listing_request(
    declared: Mapping[str, tuple[str, tuple[int, ...]]],
    user_id: str,
    history: Sequence[tuple[str, int]],
    now: int,
    k: int,
    excluded: Sequence[str] = (),
    features: Mapping[str, object] | None = None,
    allowed: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Inputs of one query, batch 1.

    `declared` gives dtype and shape (-1 for any) by input name, as the server's metadata say;
    `history` is (item id, seconds since epoch, UTC), oldest first. A declared feature that
    `features` lacks is sent as missing. Items of the `allowed` categories alone are asked for, of
    all where there is none; UsageError where the model takes no categories.
    """
    if allowed and signatures.ALLOWED_CATEGORIES not in declared:
        raise UsageError(
            "expected a model whose requests may be filtered, received categories for one without "
            f"{signatures.ALLOWED_CATEGORIES}; leave them out, or declare data.items.filter and "
            "run again"
        )
    request = {
        signatures.USER_ID: np.array([user_id.encode()], object),
        signatures.HISTORY_ITEM_IDS: np.array([[item.encode() for item, _ in history]], object),
        signatures.HISTORY_TIMESTAMPS: np.array([[moment for _, moment in history]], np.int64),
        signatures.NOW: np.array([now], np.int64),
        signatures.EXCLUDED_ITEM_IDS: np.array([[item.encode() for item in excluded]], object),
        signatures.K: np.array(k, np.int32),
    }
    given = features or {}
    if signatures.ALLOWED_CATEGORIES in declared:
        request[signatures.ALLOWED_CATEGORIES] = np.array([[c.encode() for c in allowed]], object)
    for name, (dtype, shape) in declared.items():
        if name not in request:
            request[name] = _feature(given.get(name), dtype, shape)
    return request


def _feature(value: object, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    if value is None:
        size = [1] + [max(length, 0) for length in shape[1:]]
        value = np.full(size, _MISSING[dtype], object if dtype == "string" else dtype)
    elif len(shape) > 1:
        value = [value]
    array = np.asarray(value, object if dtype == "string" else dtype)
    return array.reshape(1, *array.shape[1:]) if array.ndim else array[np.newaxis]
