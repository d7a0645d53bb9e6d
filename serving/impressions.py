"""What was shown to whom: one record an item of a list, as ingestion reads an event log."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from schema import signatures
from schema.user_ids import hash_user_id

Arrays = Mapping[str, np.ndarray]
_CONTEXT = ("context_", "user_")


def of(
    about: Mapping[str, Any], inputs: Arrays, outputs: Arrays, now: int, key: bytes | None
) -> Iterator[dict[str, Any]]:
    """Records of one answered request of `retrieval` or `recommender`.

    Each has what is `about` the request, `row` of the batch, `user_id`, `item_id`, `position` from
    1, `score`, `stage`, `timestamp` (seconds since epoch, UTC: the request's own, `now` where it
    says none), its `context_<name>` and `user_<name>`, and what it was asked with: `history`,
    `history_timestamps`, `excluded`, `k`. With a `key` a user id is logged as its pseudonym,
    whatever it looks like (`user_ids.hash_user_id`); "" stays.
    """
    for row, items in enumerate(outputs[signatures.ITEM_IDS]):
        asked = _asked(inputs, row, now, key)
        scores, stages = outputs[signatures.SCORES][row], outputs[signatures.STAGES][row]
        for position, item in enumerate(items):
            if item:
                yield {
                    **about,
                    "row": row,
                    **asked,
                    "item_id": _text(item),
                    "position": position + 1,
                    "score": float(scores[position]),
                    "stage": _text(stages[position]),
                }


def _asked(inputs: Arrays, row: int, now: int, key: bytes | None) -> dict[str, Any]:
    values = {name: value[min(row, len(value) - 1)] for name, value in inputs.items()}
    features = {
        name: _plain(value)
        for name, value in values.items()
        if name.startswith(_CONTEXT) and name != signatures.USER_ID
    }
    return {
        "user_id": _user(_text(values[signatures.USER_ID]), key),
        "timestamp": int(values[signatures.NOW]) or now,
        **{name: value for name, value in features.items() if value not in (None, "", [])},
        "k": int(values[signatures.K]),
        "history": _plain(values[signatures.HISTORY_ITEM_IDS]),
        "history_timestamps": _plain(values[signatures.HISTORY_TIMESTAMPS]),
        "excluded": _plain(values[signatures.EXCLUDED_ITEM_IDS]),
    }


def _user(user_id: str, key: bytes | None) -> str:
    return hash_user_id(user_id, key) if key is not None and user_id else user_id


def _plain(value: Any) -> Any:
    """For JSON, which has no NaN."""
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value if one != b""]
    if isinstance(value, bytes):
        return _text(value)
    number = value.item()
    return None if number != number else number


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
