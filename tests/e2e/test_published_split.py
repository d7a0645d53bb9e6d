"""A published split: lists of items without times, in one file for train and one for test."""

import json

import numpy as np
import pytest

from tests.e2e.command_line import tandem

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

USERS, ITEMS, GROUPS = 90, 60, 3
CONFIG = """
name = "published"
[[data.interactions]]
path = "train.txt"
format = "lists"
split = "train"
[[data.interactions]]
path = "test.txt"
format = "lists"
split = "test"
[split]
kind = "files"
[retrieval]
epochs = 25
patience = 25
embedding_dim = 16
learning_rate = 0.01
[ranking]
epochs = 2
[blessing]
baselines = []
pushed = []
"""


def _lists():
    """User, train items and test items; all items are of the user's group."""
    random = np.random.default_rng(5)
    for user in range(USERS):
        group_items = np.flatnonzero(np.arange(ITEMS) % GROUPS == user % GROUPS)
        chosen = random.choice(group_items, 12, replace=False)
        yield user, sorted(chosen[:9].tolist()), sorted(chosen[9:].tolist())


LISTS = list(_lists())


def _write(folder):
    train = "".join(f"{user} {' '.join(map(str, items))}\n" for user, items, _ in LISTS)
    test = "".join(f"{user} {' '.join(map(str, items))}\n" for user, _, items in LISTS)
    for name, content in (("train.txt", train), ("test.txt", test), ("published.toml", CONFIG)):
        (folder / name).write_text(content)


def _ndcg(listed, relevant, k):
    gains = [1 / np.log2(rank + 2) for rank, item in enumerate(listed[:k]) if item in relevant]
    return sum(gains) / sum(1 / np.log2(rank + 2) for rank in range(min(k, len(relevant))))


def test_the_protocol_of_the_publication_is_measured(tmp_path):
    """For all test users, all items except those in train are ranked; recall and NDCG by hand."""
    _write(tmp_path)
    root = tmp_path / "run"
    config = str(tmp_path / "published.toml")
    tandem("run", "--config", config, "--root", str(root))
    summary = json.loads((root / "summary.json").read_text())
    assert summary["retrieval"]["users"] == USERS
    assert "recent" not in summary["retrieval"]["baselines"]
    out = tmp_path / "lists.jsonl"
    options = ("--root", str(root), "--users", "all", "--as-of", "test", "--k", "20")
    tandem("batch", *options, "--out", str(out))
    listed = {row["user_id"]: row["item_ids"] for row in map(json.loads, out.open())}
    recalls, gains = [], []
    for user, train, test in LISTS:
        items = list(map(int, listed[str(user)]))
        assert not set(items) & set(train)
        recalls.append(len(set(items) & set(test)) / len(test))
        gains.append(_ndcg(items, test, 20))
    assert summary["ranking"]["recall@20"] == pytest.approx(np.mean(recalls), abs=1e-6)
    assert summary["ranking"]["ndcg@20"] == pytest.approx(np.mean(gains), abs=1e-6)
    # Of 51 unseen items 11 are of the user's group, including the 3 in test.
    assert np.mean(recalls) > 2 * 20 / 51
