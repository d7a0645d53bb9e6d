"""Orders with several items in one row, and whole histories in one row."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from components.ingest import preflight
from components.ingest.output import acceptance
from schema.dataset import Dataset
from schema.errors import ConfigError

T0 = 1_600_000_000


def described(path="orders.csv", basket=None, rating=False, **keys) -> Dataset:
    log = {"path": path, "basket": {} if basket is None else basket, **keys}
    label = {"column": "stars", "kind": "regression"}
    labels = {"ranking": {"stars": label}} if rating else {}
    return Dataset.model_validate({"data": {"interactions": log}, "labels": labels})


def read_events(done, *columns):
    """(user, item, time, …) of all events, in order of time, then of the history."""
    found = []
    for split in ("train", "valid", "test"):
        for example in done.examples(split):
            names = ("item_ids", "timestamps", *columns)
            events = list(zip(*(example[name] for name in names), strict=True))
            own = events[example["target_from"][0] :]
            found += [(example["user_id"][0], *event) for event in own]
    return sorted(found, key=lambda event: (event[2], event[0]))


ORDERS = f"""user_id,item_id,timestamp
ann,"milk, bread,eggs",{T0}
bob,milk,{T0 + 1}
ann,,{T0 + 2}
ann,"tea,tea",{T0 + 3}
bob,"rice,,oil",{T0 + 4}
bob,salt,later
ann,"a,b,c",{T0 + 5}
bob,"d,e",{T0 + 6}
"""


def test_each_item_of_an_order_is_an_event(ingest_events, lay):
    done = ingest_events(described(), lay({"orders.csv": ORDERS}))
    assert read_events(done) == [
        *(("ann", item, T0) for item in ("milk", "bread", "eggs")),
        ("bob", "milk", T0 + 1),
        ("ann", "tea", T0 + 3),
        *(("bob", item, T0 + 4) for item in ("rice", "oil")),
        *(("ann", item, T0 + 5) for item in "abc"),
        *(("bob", item, T0 + 6) for item in "de"),
    ]
    log = done.counts.tables["interactions"]
    assert (log.read, log.accepted, log.duplicates, log.rejected) == (16, 12, 1, 3)
    assert log.rejected_by_reason == {"missing_item_id": 2, "bad_timestamp": 1}
    assert done.letters("interactions") == [
        ("orders.csv", 4, "missing_item_id", f"ann,,{T0 + 2}"),
        ("orders.csv", 6, "missing_item_id", f'bob,"rice,,oil",{T0 + 4}'),
        ("orders.csv", 7, "bad_timestamp", "bob,salt,later"),
    ]
    acceptance.check(
        done.counts,
        described(max_events_per_user_and_day=9).data.model_copy(
            update={"max_rejected_fraction": 0.2}
        ),
        "rejected",
    )


HISTORIES = [
    {
        "user_id": "u1",
        "item_id": [10, 11, 12],
        "timestamp": [T0, T0 + 5, T0 + 9],
        "stars": [5, None, 2],
    },
    {"user_id": "u2", "item_id": [11], "timestamp": [T0 + 7], "stars": [4]},
    {"user_id": "u3", "item_id": [10, 12], "timestamp": [T0 + 8], "stars": [1, 1]},
]
WITH_TIMES = {"parallel": ["timestamp", "stars"]}
EVENTS = [
    ("u1", "10", T0, 5.0),
    ("u1", "11", T0 + 5, None),
    ("u2", "11", T0 + 7, 4.0),
    ("u1", "12", T0 + 9, 2.0),
]


def none_for_nan(events):
    return [tuple(None if value != value else value for value in event) for event in events]


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv", "text"])
def test_a_history_in_one_row_has_parallel_lists(ingest_events, lay, form):
    basket = WITH_TIMES
    if form == "jsonl":
        content = "".join(json.dumps(row) + "\n" for row in HISTORIES)
    elif form == "parquet":
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(HISTORIES), sink)
        content = sink.getvalue().to_pybytes()
    elif form == "csv":
        rows = [";".join(str(value) for value in row.values()) for row in HISTORIES]
        content = "\n".join(["user_id;item_id;timestamp;stars", *rows, ""])
    else:
        basket = WITH_TIMES | {"separator": "|"}
        joined = [
            ",".join(
                "|".join("" if each is None else str(each) for each in value)
                if isinstance(value, list)
                else value
                for value in row.values()
            )
            for row in HISTORIES
        ]
        content = "\n".join(["user_id,item_id,timestamp,stars", *joined, ""])
    keys = {"csv": {"format": "csv", "delimiter": ";"}, "text": {"format": "csv"}}
    dataset = described("log.x", basket, rating=True, **keys.get(form, {"format": form}))
    done = ingest_events(dataset, lay({"log.x": content}))
    assert none_for_nan(read_events(done, "label_stars")) == EVENTS
    log = done.counts.tables["interactions"]
    assert (log.read, log.accepted, log.rejected_by_reason) == (5, 4, {"unequal_lists": 1})


def test_the_items_of_objects_are_a_basket(ingest_events, lay):
    orders = [
        {"user_id": "u", "timestamp": T0 + n, "products": [{"sku": f"a{n}"}, {"sku": f"b{n}"}]}
        for n in range(8)
    ]
    dataset = described("log.json", item_id="products[].sku", format="json")
    done = ingest_events(dataset, lay({"log.json": json.dumps(orders)}))
    expected = [("u", f"{item}{n}", T0 + n) for n in range(8) for item in "ab"]
    assert read_events(done) == expected


def test_the_reason_names_both_lists(ingest_events, lay):
    content = "".join(json.dumps(row) + "\n" for row in HISTORIES)
    done = ingest_events(
        described("log.jsonl", WITH_TIMES, format="jsonl"), lay({"log.jsonl": content})
    )
    [path] = (done.root / "rejected" / "interactions").iterdir()
    detail = json.loads(path.read_text(encoding="utf-8"))["detail"]
    assert detail == (
        "column 'timestamp' expects 2 values, one for each item of 'item_id', received 1"
    )


def test_a_basket_needs_its_columns(lay):
    folder = lay({"orders.csv": ORDERS})
    with pytest.raises(
        ConfigError, match=r"data.interactions.basket.parallel expects .* received 'price'"
    ):
        preflight.check(described(basket={"parallel": ["price"]}), folder)


def test_sequences_are_lists_already():
    with pytest.raises(ValidationError, match="sequences have lists of items only; remove basket"):
        described(format="sequences")
