"""Requests to `retrieval` and `recommender` in the form of `schema.signatures`."""

from collections.abc import Mapping, Sequence

import numpy as np

from schema import signatures
from schema.errors import UsageError


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
    `history` is (item id, seconds since epoch, UTC), oldest first; `now` 0 leaves the time to the
    server's clock. A feature that `features` lacks, or has None for, is left out. Items of the
    `allowed` categories alone are asked for, of all where there is none; UsageError where the model
    takes no categories.
    """
    if allowed and signatures.ALLOWED_CATEGORIES not in declared:
        raise UsageError(
            "expected a model whose requests may be filtered, received categories for one without "
            f"{signatures.ALLOWED_CATEGORIES}; leave them out, or declare data.items.filter and "
            "run again"
        )
    ids = [item.encode() for item, _ in history]
    request = {
        signatures.USER_ID: np.array([user_id.encode()], object),
        signatures.HISTORY_ITEM_IDS: np.array([ids], object),
        signatures.HISTORY_TIMESTAMPS: np.array([[moment for _, moment in history]], np.int64),
        signatures.NOW: np.array([now], np.int64),
        signatures.EXCLUDED_ITEM_IDS: np.array([[item.encode() for item in excluded]], object),
        signatures.K: np.array([k], np.int32),
    }
    if allowed:
        request[signatures.ALLOWED_CATEGORIES] = np.array([[c.encode() for c in allowed]], object)
    for name, value in (features or {}).items():
        if name in declared and value is not None:
            request[name] = _feature(value, declared[name][0])
    return {name: value for name, value in request.items() if name in declared}


def _feature(value: object, dtype: str) -> np.ndarray:
    """[1], or [1, n] of a list."""
    return np.asarray([value], object if dtype == "string" else dtype)
