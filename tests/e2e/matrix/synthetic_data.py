"""Small synthetic tables, and the configuration that reads them, for one case of the matrix."""

import json
import pathlib
from typing import Any

import numpy as np

from pipeline.config.config import Config
from tests.e2e.matrix.cover import Case
from tests.e2e.matrix.factors import EVENT_KINDS, KINDS

_BEGIN, _DAYS, _DAY = 1_704_067_200, 20, 86_400  # 2024-01-01
_SMALLEST = {
    "retrieval": {"embedding_dim": 4, "history_length": 4, "epochs": 1, "uniform_negatives": 4},
    "ranking": {"id_dim": 2, "cross_layers": 1, "hidden_units": [4], "epochs": 1, "negatives": 2},
}
_LABELS = {
    "rating": {"column": "rating", "kind": "regression"},
    "bought": {"column": "bought", "kind": "binary"},
}
_HEADS = {
    "none": [],
    "regression": ["rating"],
    "binary": ["bought"],
    "several": ["rating", "bought"],
    "not in test": ["rating", "bought"],
}


def write(case: Case, folder: pathlib.Path, seed: int) -> Config:
    """Writes the tables of a case; the same seed gives the same tables."""
    random = np.random.default_rng(seed)
    items = [f"i{number}" for number in range(int(case["catalogue"]))]
    users = [f"u{number}" for number in range(int(case["people"]))]
    events = _events(case, random, users, items)
    if case["log"] == "sequences":
        _write_sequences(folder / "events.txt", users, events)
    else:
        _write_lines(folder / "events.jsonl", events)
    _write_lines(folder / "items.jsonl", _rows(case["item"], "item_id", items, random))
    if case["user"] != "no table":
        _write_lines(folder / "users.jsonl", _rows(case["user"], "user_id", users, random))
    return Config.model_validate(_configuration(case))


def _events(
    case: Case, random: np.random.Generator, users: list[str], items: list[str]
) -> list[dict[str, Any]]:
    count = min(len(items), max(8, 80 // len(users)))
    results = []
    for user in users:
        moments = _BEGIN + np.sort(random.integers(0, _DAYS * _DAY, count))
        chosen = random.choice(items, count, replace=False).tolist()
        for item, moment in zip(chosen, moments.tolist(), strict=True):
            event = {"user_id": user, "item_id": item, "timestamp": moment}
            if case["labels"] != "not in test" or moment < _BEGIN + 8 * _DAY:
                event |= {"rating": int(random.integers(1, 6)), "bought": int(random.integers(2))}
            results.append(event | _values(case["context"], EVENT_KINDS, random))
    return results


def _rows(level: str, key: str, ids: list[str], random: np.random.Generator) -> list[dict]:
    return [{key: each, "name": f"The {each}"} | _values(level, KINDS, random) for each in ids]


def _values(level: str, kinds: tuple[str, ...], random: np.random.Generator) -> dict[str, Any]:
    declared = _kinds(level, kinds)
    if level == "null":
        return dict.fromkeys((f"of_{kind}" for kind in declared), None)
    number = 0 if level == "constant" else int(random.integers(5))
    values = {
        "category": f"c{number}",
        "set": f"a{number}|b{number % 2}",
        "text": f"word{number} and word{number % 2}",
        "number": number / 2,
        "timestamp": _BEGIN + number * _DAY,
        "vector": [float(number), 1.0],
    }
    return {f"of_{kind}": values[kind] for kind in declared}


def _kinds(level: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    if level in ("no table", "none"):
        return ()
    return kinds if level in ("all", "null", "constant") else (level,)


def _declare_features(level: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    result: dict[str, Any] = {f"of_{kind}": {"kind": kind} for kind in _kinds(level, kinds)}
    if "of_vector" in result:
        result["of_vector"]["size"] = 2
    return result


def _configuration(case: Case) -> dict[str, Any]:
    sequences = case["log"] == "sequences"
    source = {"path": "events.txt", "format": "sequences"}
    lines = {"path": "events.jsonl", "format": "jsonl"}
    title = {"title": "name"} if case["title"] == "yes" else {}
    data = {
        "interactions": source if sequences else lines,
        "items": {"path": "items.jsonl", "format": "jsonl"} | title,
    }
    if case["user"] != "no table":
        data["users"] = {"path": "users.jsonl", "format": "jsonl"}
    days = {"train_days": _DAYS - 6, "valid_days": 3, "test_days": 3}
    return _SMALLEST | {
        "name": "matrix",
        "data": data,
        "features": {
            "items": _declare_features(case["item"], KINDS),
            "users": _declare_features(case["user"], KINDS),
            "context": _declare_features(case["context"], EVENT_KINDS),
        },
        "labels": {"ranking": {head: _LABELS[head] for head in _HEADS[case["labels"]]}},
        "split": {"kind": case["split"]} | (days if case["split"] == "window" else {}),
        "index": {"kind": case["index"], "tuning_seconds": 0.1},
    }


def _write_lines(path: pathlib.Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def _write_sequences(path: pathlib.Path, users: list[str], events: list[dict[str, Any]]) -> None:
    interacted = {
        user: [row["item_id"] for row in events if row["user_id"] == user] for user in users
    }
    path.write_text("".join(f"{user} {' '.join(ids)}\n" for user, ids in interacted.items() if ids))
