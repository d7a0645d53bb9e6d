"""Windows: by hand, and as a partition of all events."""

import collections

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.ingest import splits, timelines
from components.ingest.clock import Clock
from components.ingest.events import in_order, starts_of_users


def log(rows: list[tuple[str, int, str]]) -> pa.Table:
    users, times, items = zip(*rows, strict=True)
    return in_order(
        pa.table(
            {
                "user_id": pa.array(users, pa.large_string()),
                "timestamp": pa.array(times, pa.int64()),
                "item_id": pa.array(items, pa.large_string()),
            }
        )
    )


def test_windows_by_hand():
    events = log([("a", t, "x") for t in range(5)] + [("b", 9, "x")])
    edges = splits.edges(events, Clock(4, 5))
    windows = timelines.of_split(edges, "train", window=3, carry=2)
    assert [part.tolist() for part in windows] == [[0, 1], [0, 3], [3, 4]]
    test = timelines.of_split(edges, "test", window=3, carry=2)
    assert [part.tolist() for part in test] == [[5], [5], [6]]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.sampled_from("xy")), min_size=1
    ),
    st.lists(st.integers(0, 21), min_size=2, max_size=2).map(sorted),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_every_event_is_owned_once_and_by_its_split(rows, cuts, window, carry):
    events, clock = log(rows), Clock(*cuts)
    users, times = events["user_id"].to_pylist(), events["timestamp"].to_pylist()
    owned = collections.Counter()
    for split in ("train", "valid", "test"):
        windows = timelines.of_split(splits.edges(events, clock), split, window, carry)
        for start, own, stop in zip(*windows, strict=True):
            assert 1 <= stop - own <= window
            assert len({users[n] for n in range(start, stop)}) == 1
            earlier = sum(users[n] == users[own] for n in range(own))
            assert own - start == min(carry, earlier)
            for n in range(own, stop):
                owned[n] += 1
                at = "train" if times[n] < cuts[0] else "valid" if times[n] < cuts[1] else "test"
                assert at == split
    assert owned == dict.fromkeys(range(len(set(rows))), 1)


def test_last_items_by_hand():
    events = log([("a", t, f"i{t}") for t in range(5)] + [("b", 1, "x"), ("b", 2, "y")])
    edges = splits.edges(events, None)
    found = {
        split: [part.tolist() for part in timelines.of_split(edges, split, window=9, carry=9)]
        for split in ("train", "valid", "test")
    }
    # User b has two events only: both are train.
    assert found == {
        "train": [[0, 5], [0, 5], [3, 7]],
        "valid": [[0], [3], [4]],
        "test": [[0], [4], [5]],
    }


def test_events_before_the_train_window_are_history_alone():
    events = log([("a", t, f"i{t}") for t in range(6)] + [("b", 0, "x")])
    edges = splits.edges(events, Clock(t_valid=4, t_test=5, t_train=2))
    train = timelines.of_split(edges, "train", window=9, carry=9)
    assert [part.tolist() for part in train] == [[0], [2], [4]]
    assert (edges.train - edges.first).tolist() == [2, 1]


def test_batches_bound_memory_and_lose_nothing(monkeypatch):
    monkeypatch.setattr(timelines, "EVENTS_PER_BATCH", 4)
    events = log([(f"u{n % 5}", n, f"i{n}") for n in range(23)])
    batches = list(timelines.batches(events, timelines.of_users(events), None))
    assert len(batches) > 1
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["user_id"] for row in rows] == ["u0", "u1", "u2", "u3", "u4"]
    assert rows[1]["item_ids"] == ["i1", "i6", "i11", "i16", "i21"]
    assert sum(len(row["timestamps"]) for row in rows) == 23


def test_the_same_event_told_twice_keeps_the_largest_fields():
    twice = pa.table(
        {
            "user_id": pa.array(["a", "a", "a"], pa.large_string()),
            "timestamp": pa.array([1, 1, 1]),
            "item_id": pa.array(["x", "x", "x"], pa.large_string()),
            "label_stars": pa.array([2.0, None, 4.0]),
        }
    )
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        assert in_order(twice.take(order)).to_pylist() == [
            {"user_id": "a", "timestamp": 1, "item_id": "x", "label_stars": 4.0}
        ]
    assert starts_of_users(twice).tolist() == [0, 3]
    assert starts_of_users(twice.slice(0, 0)).tolist() == [0]
    assert np.array_equal(timelines.of_users(twice).stop, [3])
