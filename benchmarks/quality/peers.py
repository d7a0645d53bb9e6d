"""Popularity counters: baselines of a few lines, without a model."""

import collections
import itertools
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.quality import referee as quality_referee
from benchmarks.quality.data import DataSet

DEPTH = 100
SECONDS_PER_DAY = 86_400


def score_counters(
    data_set: DataSet, split: pathlib.Path, referee: pathlib.Path
) -> dict[str, dict[str, float]]:
    """The referee's metrics by counter; they learn from train and valid, like the models."""
    events = [
        event
        for name in ("train", "valid")
        for event in quality_referee.rows(split / f"{name}.jsonl")
    ]
    catalogue = [item["item_id"] for item in quality_referee.rows(split / "items.jsonl")]
    meta = json.loads((split / "meta.json").read_text(encoding="utf-8"))
    users = quality_referee.test_users(split)
    values_by_name = {}
    for name, days in data_set.counters.items():
        since = None if days is None else meta["t_test"] - days * SECONDS_PER_DAY
        lists = data_set.home / "counter.jsonl"
        with lists.open("w", encoding="utf-8") as out:
            for row in rank_popular(events, catalogue, users, since):
                out.write(json.dumps(row) + "\n")
        values_by_name[name] = quality_referee.score(referee, split, lists)
    return values_by_name


def rank_popular(
    events: Sequence[dict[str, Any]], catalogue: list[str], users: list[str], since: float | None
) -> Iterator[dict[str, Any]]:
    """For each user, the DEPTH items with the most events from `since` on (None: of all time) among
    those without an event of the user. Ties are ordered by events of all time, then by position in
    the catalogue.
    """
    ever, recent = collections.Counter(), collections.Counter()
    interacted = collections.defaultdict(set)
    for event in events:
        item = event["item_id"]
        ever[item] += 1
        recent[item] += since is None or event["timestamp"] >= since
        interacted[event["user_id"]].add(item)
    order = sorted(catalogue, key=lambda item: (-recent[item], -ever[item]))
    for user in users:
        unseen = (item for item in order if item not in interacted[user])
        yield {"user_id": user, "item_ids": list(itertools.islice(unseen, DEPTH))}
