"""The referee's own script on a split with known scores, and the reading of its JSON."""

import json
import math

import pytest

from benchmarks.quality import referee as quality_referee
from schema.errors import UsageError

SCORES = {
    "all": {"users": 2, "recall@10": 0.5, "ndcg@10": 0.25, "recall@100": 0.75, "recall@5": 0.1},
    "new_items_recall@100": 0.125,
    "new_items_answers": 8,
    "coverage@10": 0.0625,
}


@pytest.fixture
def referee(shared_data):
    script = shared_data.parent / "referee" / "score.py"
    if not script.is_file():
        pytest.skip(f"needs the referee's script: no file {script}")
    return script


def _write(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def split(tmp_path):
    """u has consumed a; later c and the new item d. v is a new user and consumes a."""
    events = {
        "train": [("u", "a")],
        "valid": [("w", "b"), ("w", "c")],
        "test": [("u", "c"), ("u", "d"), ("v", "a")],
    }
    for part, pairs in events.items():
        rows = [{"user_id": u, "item_id": i, "timestamp": 1} for u, i in pairs]
        _write(tmp_path / f"{part}.jsonl", rows)
    _write(tmp_path / "items.jsonl", [{"item_id": item} for item in "abcde"])
    return tmp_path


def test_metrics_are_picked_by_their_names():
    assert quality_referee.metrics(json.dumps(SCORES)) == {
        "recall@10": 0.5,
        "ndcg@10": 0.25,
        "recall@100": 0.75,
        "coverage@10": 0.0625,
        "new_items_recall@100": 0.125,
    }


def test_without_new_items_their_recall_is_absent():
    scores = SCORES | {"new_items_answers": 0, "new_items_recall@100": 0.0}
    assert "new_items_recall@100" not in quality_referee.metrics(json.dumps(scores))


def test_test_users_are_distinct_and_in_order(split):
    assert quality_referee.test_users(split) == ["u", "v"]


def test_score_by_hand(referee, split):
    lists = split / "lists.jsonl"
    _write(lists, [{"user_id": "u", "item_ids": ["b", "c"]}, {"user_id": "v", "item_ids": ["a"]}])
    u = (1 / math.log2(3)) / (1 + 1 / math.log2(3))
    assert quality_referee.score(referee, split, lists) == {
        "recall@10": 0.75,
        "ndcg@10": pytest.approx((u + 1) / 2, abs=1e-5),
        "recall@100": 0.75,
        "coverage@10": 0.6,
        "new_items_recall@100": 0.0,
    }


def test_a_list_with_a_seen_item_ends_the_benchmark(referee, split):
    lists = split / "lists.jsonl"
    _write(lists, [{"user_id": "u", "item_ids": ["a"]}, {"user_id": "v", "item_ids": ["a"]}])
    with pytest.raises(SystemExit, match="`score` failed"):
        quality_referee.score(referee, split, lists)


def test_a_missing_referee_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("TANDEM_REFEREE", str(tmp_path / "nowhere.py"))
    with pytest.raises(UsageError, match="set TANDEM_REFEREE"):
        quality_referee.script()
