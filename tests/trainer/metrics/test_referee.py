"""Our metrics compared with those of an independent script, if it is available."""

import importlib.util
import json

import numpy as np
import pytest

from trainer.data.evaluation_queries import build_queries
from trainer.metrics.beyond_accuracy import compute_coverage, compute_head_share, find_head_items
from trainer.metrics.ranking import CUTOFFS, average_metrics, compute_user_metrics
from trainer.metrics.top_k import select_top_k

ITEMS = 150
CUT = 1_000_000


@pytest.fixture(scope="module")
def referee(shared_data):
    path = shared_data.parent / "referee" / "score.py"
    if not path.is_file():
        pytest.skip(f"needs the referee's script: no file {path}")
    spec = importlib.util.spec_from_file_location("referee_score", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _log(rng):
    """{user: (items before the cut, items after)}; some users new, some items repeated."""
    users = {}
    for number in range(40):
        before = rng.integers(1, ITEMS + 1, 0 if number % 7 == 0 else rng.integers(1, 30))
        after = rng.integers(1, ITEMS + 1, rng.integers(1, 12))
        if len(before) and number % 3 == 0:
            after = np.append(after, before[0])  # already in the history: not relevant
        users[f"u{number:02}"] = (before, after)
    users["seen-only"] = (np.array([1, 2, 3]), np.array([2, 2]))  # a user without a relevant item
    return users


def _write(folder, users):
    def rows(part, first):
        return [
            {"user_id": user, "item_id": f"i{item}", "timestamp": first + at, "rating": 1.0}
            for user, parts in users.items()
            for at, item in enumerate(parts[part])
        ]

    files = {
        "train": rows(0, 0),
        "valid": [],
        "test": rows(1, CUT),
        "items": [{"item_id": f"i{n}", "title": "", "genres": []} for n in range(1, ITEMS + 1)],
    }
    for name, lines in files.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def test_metrics_agree_with_the_referee(referee, timelines_of, tmp_path):
    rng = np.random.default_rng(5)
    users = _log(rng)
    _write(tmp_path, users)
    test = timelines_of(
        [
            (
                user.encode(),
                0,
                [*before, *after],
                [*range(len(before)), *range(CUT, CUT + len(after))],
                len(before),
            )
            for user, (before, after) in users.items()
        ]
    )
    queries = build_queries(test, CUT)
    lists = select_top_k(rng.random((len(queries), ITEMS + 1)), queries.interacted, 100)
    ids = test.user_ids[queries.row]
    with (tmp_path / "lists.jsonl").open("w", encoding="utf-8") as file:
        for user, row in zip(ids, lists, strict=True):
            line = {"user_id": user.decode(), "item_ids": [f"i{item}" for item in row]}
            file.write(json.dumps(line) + "\n")
    expected = referee.score(tmp_path, tmp_path / "lists.jsonl")
    metrics = average_metrics(compute_user_metrics(lists, queries.relevant))
    assert len(queries) == expected["all"]["users"] < len(users)
    compared = expected["all"].keys() - {"users"}
    assert compared == {f"{m}@{k}" for m in ("recall", "ndcg") for k in CUTOFFS} | {
        "mrr@100"
    }  # it has no hit rate
    # it has no novelty, diversity or Gini
    metrics["coverage@10"] = compute_coverage(lists, 10, ITEMS)
    head = find_head_items(_events(users))
    metrics["share_of_top_1pct_items@10"] = compute_head_share(lists, 10, head)
    of_all = {name: expected["all"][name] for name in compared} | {
        name: expected[name] for name in ("coverage@10", "share_of_top_1pct_items@10")
    }
    for name, value in of_all.items():
        assert value > 0
        # the referee prints five decimals
        assert round(metrics[name], 5) == pytest.approx(value, abs=1e-9), name


def _events(users):
    """[items + 1] events before the cut; exactly one item is the most popular."""
    events = np.bincount(np.concatenate([before for before, _ in users.values()]), minlength=1)
    assert (events == events.max()).sum() == 1
    return np.pad(events, (0, ITEMS + 1 - len(events)))
