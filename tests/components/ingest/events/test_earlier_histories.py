"""Items from before the log, by hand."""

import numpy as np
import pyarrow as pa

from components.ingest.events.earlier_histories import insert_histories
from components.ingest.events.splits import Edges

LISTS = pa.large_list(pa.large_string())


def table(rows):
    users, items, times, histories = zip(*rows, strict=True)
    return pa.table(
        {
            "user_id": pa.array(users, pa.large_string()),
            "item_id": pa.array(items, pa.large_string()),
            "timestamp": pa.array(times, pa.int64()),
            "positive": pa.array([0] * len(rows), pa.int64()),
            "label_stars": pa.array([3.0] * len(rows)),
            "history": pa.array(histories, LISTS),
        }
    )


def test_the_history_of_the_first_event_is_put_before_it():
    events = table(
        [
            ("a", "x", 100, ["p", "q", "p"]),
            ("a", "y", 200, ["other"]),
            ("b", "x", 300, None),
            ("c", "z", 40, ["r"]),  # before the bulk of the log
            ("c", "y", 400, []),
        ]
    )
    users = np.array([0, 2, 3]), np.array([2, 3, 5])
    edges = Edges(users[0], users[0], np.array([1, 3, 4]), np.array([2, 3, 5]), users[1])
    extended = insert_histories(events, edges, begin=90)
    rows = extended.events.to_pydict()
    assert list(zip(rows["user_id"], rows["item_id"], rows["timestamp"], strict=True)) == [
        ("a", "p", 87),
        ("a", "q", 88),
        ("a", "p", 89),
        ("a", "x", 100),
        ("a", "y", 200),
        ("b", "x", 300),
        ("c", "r", 39),
        ("c", "z", 40),
        ("c", "y", 400),
    ]
    assert rows["positive"] == [1, 1, 1, 0, 0, 0, 1, 0, 0]
    assert rows["label_stars"] == [None] * 3 + [3.0] * 3 + [None] + [3.0] * 2
    assert "history" not in rows
    assert extended.earlier.tolist() == [3, 0, 1]
    moved = {name: edge.tolist() for name, edge in extended.edges._asdict().items()}
    assert moved == {
        "first": [0, 5, 6],
        "train": [3, 5, 7],
        "valid": [4, 6, 8],
        "test": [5, 6, 9],
        "stop": [5, 6, 9],
    }


def test_the_first_list_by_time_is_used():
    events = table(
        [
            ("a", "x", 100, None),  # of a table without the column
            ("a", "y", 200, ["p"]),
            ("a", "z", 300, ["p", "y"]),
            ("b", "x", 500, ["q", "y"]),  # of train
            ("b", "y", 400, ["q"]),  # of test, and earlier
            ("c", "x", 100, None),
            ("d", "x", 100, None),
            ("d", "y", 200, []),
            ("d", "z", 300, ["x", "y"]),
        ]
    )
    first, stop = np.array([0, 3, 5, 6]), np.array([3, 5, 6, 9])
    edges = Edges(first, first, stop, stop, stop)
    extended = insert_histories(events, edges, begin=450)
    rows = extended.events.to_pydict()
    listed = list(zip(rows["user_id"], rows["item_id"], rows["timestamp"], strict=True))
    assert extended.earlier.tolist() == [1, 1, 0, 0]
    assert listed[:4] == [("a", "p", 99), ("a", "x", 100), ("a", "y", 200), ("a", "z", 300)]
    assert listed[4:7] == [("b", "q", 399), ("b", "x", 500), ("b", "y", 400)]


def test_an_empty_shard_has_no_histories():
    none = np.zeros(0, np.int64)
    events = table([("a", "x", 100, ["p"])]).slice(0, 0)
    extended = insert_histories(events, Edges(none, none, none, none, none), begin=90)
    assert extended.events.num_rows == 0
    assert extended.events.column_names == events.drop(["history"]).column_names


def test_a_log_without_histories_stays_as_it_is():
    events = table([("a", "x", 100, None)]).drop(["history"])
    one = np.array([0])
    edges = Edges(one, one, one, one, one + 1)
    extended = insert_histories(events, edges, begin=90)
    assert extended.events is events
    assert extended.edges is edges
    assert extended.earlier.tolist() == [0]
