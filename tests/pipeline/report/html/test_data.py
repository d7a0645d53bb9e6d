"""Counts of planted histories, compared with a count of the plain events."""

from collections import Counter

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.output import counts, histories
from components.ingest.output.counts import Counts
from pipeline.report.html.data import read_volumes

DAY = 86_400
EVENTS = st.tuples(st.sampled_from("abcde"), st.integers(0, 40 * DAY))


def read(folder, users: list[list[tuple[str, int]]], totals: dict[str, int], shards: int = 1):
    for shard in range(shards):
        part = users[shard::shards]
        table = pa.table(
            {
                "user_id": [f"u{number}" for number in range(len(part))],
                "item_ids": pa.array([[i for i, _ in u] for u in part], pa.list_(pa.string())),
                "timestamps": pa.array([[t for _, t in u] for u in part], pa.list_(pa.int64())),
            }
        )
        histories.write(str(folder), shard, shards, iter([table]))
    counts.write(str(folder), Counts({}, totals))
    return read_volumes(str(folder), str(folder))


def test_days_items_and_users_by_hand(tmp_path):
    users = [[("a", 5), ("b", DAY + 5), ("a", DAY + 6)], [("a", 3 * DAY - 1)]]
    contents = read(tmp_path, users, {"users": 2, "t_valid": 9, "t_test": 20}, shards=2)
    assert contents.days.tolist() == [0, 1, 2]
    assert contents.events.tolist() == [1, 2, 1]
    assert contents.per_item.tolist() == [3, 1]
    assert contents.per_user.tolist() == [3, 1]
    assert contents.cuts == {"valid begins": 9, "test begins": 20}


def test_days_are_those_of_the_bulk_and_all_else_counts_every_event(tmp_path):
    users = [[("a", 5), ("b", 5 * DAY), ("b", 6 * DAY - 1), ("c", 40_000 * DAY)]]
    contents = read(tmp_path, users, {"t_begin": 5 * DAY, "t_end": 6 * DAY})
    assert (contents.days.tolist(), contents.events.tolist()) == ([5], [2])
    assert contents.per_item.tolist() == [2, 1, 1]
    assert contents.per_user.tolist() == [4]


def test_a_split_without_a_clock_has_no_cut(tmp_path):
    assert read(tmp_path, [[("a", 5)]], {"users": 1}).cuts == {}


def test_a_train_split_from_the_first_event_on_has_no_begin(tmp_path):
    contents = read(tmp_path, [[("a", 5)]], {"t_train": 0, "t_valid": 6, "t_test": 7})
    assert list(contents.cuts) == ["valid begins", "test begins"]


@settings(max_examples=30)
@given(st.lists(st.lists(EVENTS, min_size=1, max_size=9), min_size=1, max_size=9))
def test_no_event_is_lost(tmp_path_factory, users):
    contents = read(tmp_path_factory.mktemp("histories"), users, {}, shards=2 if users[1:] else 1)
    events = [event for user in users for event in user]
    days = Counter(time // DAY for _, time in events)
    assert dict(zip(contents.days.tolist(), contents.events.tolist(), strict=True)) == days
    items = Counter(item for item, _ in events)
    assert contents.per_item.tolist() == sorted(items.values(), reverse=True)
    assert contents.per_user.tolist() == sorted(map(len, users), reverse=True)
