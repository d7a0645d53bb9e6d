"""Windows: by hand, and as a partition of all events."""

import collections

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.events import timelines
from components.ingest.events.log import find_user_starts, sort_events
from components.ingest.events.splits import Clock, find_edges


def log(rows: list[tuple[str, int, str]]) -> pa.Table:
    users, times, items = zip(*rows, strict=True)
    return sort_events(
        pa.table(
            {
                "user_id": pa.array(users, pa.large_string()),
                "moment": pa.array([time * 10**9 for time in times], pa.int64()),
                "item_id": pa.array(items, pa.large_string()),
            }
        )
    )


def test_windows_by_hand():
    events = log([("a", t, "x") for t in range(5)] + [("b", 9, "x")])
    edges = find_edges(events, Clock(4, 5))
    windows = timelines.build_split_windows(edges, "train", window=3, carry=2)
    assert [part.tolist() for part in windows] == [[0, 1], [0, 3], [3, 4]]
    test = timelines.build_split_windows(edges, "test", window=3, carry=2)
    assert [part.tolist() for part in test] == [[5], [5], [6]]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.sampled_from("xy")), min_size=1
    ),
    st.lists(st.integers(0, 21), min_size=2, max_size=2).map(sorted),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_every_event_belongs_to_exactly_one_split(rows, cuts, window, carry):
    events, clock = log(rows), Clock(*cuts)
    users, times = events["user_id"].to_pylist(), events["timestamp"].to_pylist()
    owned = collections.Counter()
    for split in ("train", "valid", "test"):
        windows = timelines.build_split_windows(find_edges(events, clock), split, window, carry)
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
    edges = find_edges(events, None)
    result = {
        split: [
            part.tolist() for part in timelines.build_split_windows(edges, split, window=9, carry=9)
        ]
        for split in ("train", "valid", "test")
    }
    # User b has two events only: both are train.
    assert result == {
        "train": [[0, 5], [0, 5], [3, 7]],
        "valid": [[0], [3], [4]],
        "test": [[0], [4], [5]],
    }


def test_events_before_the_train_window_are_only_history():
    events = log([("a", t, f"i{t}") for t in range(6)] + [("b", 0, "x")])
    edges = find_edges(events, Clock(t_valid=4, t_test=5, t_train=2))
    train = timelines.build_split_windows(edges, "train", window=9, carry=9)
    assert [part.tolist() for part in train] == [[0], [2], [4]]
    assert (edges.train - edges.first).tolist() == [2, 1]


def test_batches_bound_memory_and_lose_nothing(monkeypatch):
    monkeypatch.setattr(timelines, "EVENTS_PER_BATCH", 4)
    events = log([(f"u{n % 5}", n, f"i{n}") for n in range(23)])
    batches = list(
        timelines.build_batches(
            events, timelines.build_user_windows(find_edges(events, None)), None
        )
    )
    assert len(batches) > 1
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["user_id"] for row in rows] == ["u0", "u1", "u2", "u3", "u4"]
    assert rows[1]["item_ids"] == ["i1", "i6", "i11", "i16", "i21"]
    assert sum(len(row["timestamps"]) for row in rows) == 23


def sort_in_seconds(rows: list[tuple[str, int, str, int]]) -> list[tuple[str, int, str, int]]:
    """(user, nanoseconds, item, line) -> (user, seconds, item, line), as `in_order` has them."""
    users, moments, items, lines = zip(*rows, strict=True)
    columns = {
        "user_id": pa.array(users, pa.large_string()),
        "item_id": pa.array(items, pa.large_string()),
        "moment": pa.array(moments, pa.int64()),
        "line": pa.array(lines),
    }
    result = sort_events(pa.table(columns)).to_pydict()
    names = ("user_id", "timestamp", "item_id", "line")
    return list(zip(*(result[name] for name in names), strict=True))


def test_events_are_sorted_by_nanosecond_and_ties_by_line():
    second = 10**9
    assert sort_in_seconds(
        [
            ("b", 5 * second, "a", 1),
            ("a", 7 * second + 2, "b", 2),
            ("a", 7 * second + 1, "z", 3),
            ("a", 7 * second + 1, "c", 4),  # a tie with line 3: its line is later
            ("a", 8 * second - 1, "a", 5),
            ("a", 6 * second, "q", 6),
        ]
    ) == [
        ("a", 6, "q", 6),
        ("a", 7, "z", 3),
        ("a", 7, "c", 4),
        ("a", 7, "b", 2),
        ("a", 7, "a", 5),
        ("b", 5, "a", 1),
    ]


def test_the_last_line_of_duplicate_events_is_kept():
    assert sort_in_seconds(
        [
            ("a", 1, "x", 1),  # repeated in line 3, with another item between them
            ("a", 1, "y", 2),
            ("a", 1, "x", 3),
            ("a", 2, "x", 4),  # the same second and another moment
            ("b", 1, "x", 5),
            ("b", 1, "x", 6),
        ]
    ) == [("a", 0, "y", 2), ("a", 0, "x", 3), ("a", 0, "x", 4), ("b", 0, "x", 6)]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.sampled_from("xyz")), min_size=1
    )
)
def test_sorting_agrees_with_plain_python(rows):
    last = {row: line for line, row in enumerate(rows)}
    expected = sorted((user, moment, line, item) for (user, moment, item), line in last.items())
    assert sort_in_seconds([(*row, line) for line, row in enumerate(rows)]) == [
        (user, 0, item, line) for user, _, line, item in expected
    ]


def test_each_user_starts_where_the_previous_one_ends():
    events = log([("a", 1, "x"), ("a", 2, "x"), ("b", 1, "x")])
    assert find_user_starts(events).tolist() == [0, 2, 3]
    assert find_user_starts(events.slice(0, 0)).tolist() == [0]
    assert timelines.build_user_windows(find_edges(events, None)).stop.tolist() == [2, 3]
