"""Rules that need more than one record: unknown items and bots, by hand and in the pipeline."""

import collections

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.events import rules as event_rules
from components.ingest.events.log import sort_events
from components.ingest.output import acceptance
from schema.dataset import Dataset
from schema.errors import DataRefused

T0 = 1_600_041_600  # 2020-09-14T00:00:00Z
DAY = 86_400


def described(items: dict | None = None, split: dict | None = None, **policies) -> Dataset:
    log = {"path": "log*.csv", "columns": ["user_id", "item_id", "timestamp"], **policies}
    data = {"interactions": log, "items": {"path": "items.csv", **(items or {})}}
    return Dataset.model_validate({"data": data, "split": split or {}})


def log(rows: list[tuple[str, int]]) -> pa.Table:
    users, times = zip(*rows, strict=True)
    items = [f"i{n}" for n in range(len(rows))]
    moments = [time * 10**9 for time in times]
    columns = {"user_id": users, "moment": moments, "item_id": items}
    return sort_events(pa.table({k: pa.array(v) for k, v in columns.items()}))


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(T0 - 5, T0 + 2 * DAY)),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 4),
)
def test_the_first_events_of_a_day_are_kept(rows, limit):
    events = log(rows)
    seen: collections.Counter = collections.Counter()
    expected = []
    for row in events.to_pylist():
        day = row["user_id"], row["timestamp"] // DAY
        expected.append(seen[day] >= limit)
        seen[day] += 1
    assert event_rules.find_excess_events(events, limit).tolist() == expected


def test_the_limit_of_a_day_holds_for_all_splits_together():
    rows = [("a", 0, T0 + 5), ("a", 0, T0 + 9), ("a", 0, T0 + DAY), ("a", 2, T0), ("a", 2, T0 + 7)]
    columns = zip(("user_id", "split", "timestamp"), zip(*rows, strict=True), strict=True)
    events = pa.table({name: list(values) for name, values in columns})
    assert event_rules.find_excess_events(events, 2).tolist() == [False, True, False, False, True]


def test_no_event_exceeds_the_limit_in_an_empty_log():
    assert event_rules.find_excess_events(log([("a", T0)]).slice(0, 0), 1).tolist() == []


def test_unknown_items_are_found():
    events = log([("a", T0), ("a", T0 + 1)])
    result = event_rules.find_unknown_items(events, pa.array(["i1", "other"]))
    assert np.array_equal(result, [True, False])
    nothing = pa.array([], pa.string())
    assert event_rules.find_unknown_items(events, nothing).all()


CATALOGUE = "item_id,price\nx,1\ny,not a number\nz,3\n"
FEATURES = {"items": {"price": {"kind": "number"}}}
EVENTS = f"u,x,{T0}\nu,y,{T0 + 1}\nv,gone,{T0 + 2}\nv,gone,{T0 + 2}\nv,z,{T0 + 3}\nw,x,{T0 + 4}\n"


def test_events_of_unknown_items_are_kept_by_default(lay, ingest_events):
    ingested = ingest_events(described(), lay({"log.csv": EVENTS, "items.csv": CATALOGUE}))
    table = ingested.counts.tables["interactions"]
    assert (table.accepted, table.rejected, table.duplicates) == (5, 0, 1)


@pytest.mark.parametrize("policy", ["reject", "fail"])
def test_events_of_unknown_items_become_dead_letters(policy, lay, ingest_events):
    # An item with an invalid price (y) has no price, but is known.
    dataset = described(unknown_item=policy).model_copy(
        update={"features": Dataset.model_validate(
            {"data": described().data, "features": FEATURES}).features}
    )  # fmt: skip
    ingested = ingest_events(dataset, lay({"log.csv": EVENTS, "items.csv": CATALOGUE}))
    assert ingested.letters("interactions") == [
        ("log.csv", 4, "unknown_item", f"v,gone,{T0 + 2}"),
    ]
    table = ingested.counts.tables["interactions"]
    assert (table.read, table.accepted, table.rejected, table.duplicates) == (6, 4, 1, 1)
    remaining = [
        item for split in ("train", "valid", "test") for _, item, _ in ingested.events(split)
    ]
    assert sorted(remaining) == ["x", "x", "y", "z"]
    assert not (ingested.root / "rejected" / "items").exists()
    refused = "data.interactions.unknown_item" if policy == "fail" else "16.67%"
    with pytest.raises(DataRefused, match=refused):
        acceptance.check(ingested.counts, dataset.data, "rejected")


def test_excess_events_of_a_bot_are_rejected_and_its_first_events_kept(lay, ingest_events):
    robot = "".join(f"bot,i{n:02},{T0 + n}\n" for n in range(12))
    people = f"a,x,{T0 + 5}\na,y,{T0 + DAY}\nbot,x,{T0 + DAY}\nbroken\n"
    folder = lay({"log-1.csv": robot[:95], "log-2.csv": robot[95:] + people})
    ingested = ingest_events(described(max_events_per_user_and_day=3), folder)
    table = ingested.counts.tables["interactions"]
    assert table.rejected_by_reason == {"too_many_events": 9, "wrong_field_count": 1}
    assert table.read == 16
    assert table.accepted == 6
    assert ingested.counts.rejected_by_reason["interactions"]["too_many_events"] == 9
    remaining = [
        (u, i) for split in ("train", "valid", "test") for u, i, _ in ingested.events(split)
    ]
    assert sorted(remaining) == [
        ("a", "x"), ("a", "y"), ("bot", "i00"), ("bot", "i01"), ("bot", "i02"), ("bot", "x"),
    ]  # fmt: skip
    letters = [letter[2:] for letter in ingested.letters("interactions")]
    robots = [("too_many_events", f"bot,i{n:02},{T0 + n}") for n in range(3, 12)]
    assert sorted(letters) == [*robots, ("wrong_field_count", "broken")]


def test_a_repeated_catalogue_id_is_refused_if_configured(lay, ingest_items):
    catalogue = "item_id,title\na,first\nb,only\na,second\na,third\n"
    folder = lay({"items.csv": catalogue})
    dataset = described(items={"duplicates": "fail", "title": "title"})
    ingested = ingest_items(dataset, folder)
    assert ingested.letters("items") == [
        ("items.csv", 2, "duplicate_id", "a,first"),
        ("items.csv", 4, "duplicate_id", "a,second"),
    ]
    table = ingested.counts.tables["items"]
    assert (table.read, table.accepted, table.rejected, table.duplicates) == (4, 2, 2, 0)
    with pytest.raises(DataRefused, match=r"data\.items\.duplicates, received 2 of 4"):
        acceptance.check(ingested.counts, dataset.data, "rejected")
    [file] = (ingested.root / "rejected" / "items").iterdir()
    letters = pd.read_json(file, lines=True)
    assert letters["reason"].value_counts().to_dict() == {"duplicate_id": 2}
    assert letters["line"].tolist() == [2, 4]
    last = ingest_items(described(items={"title": "title"}), folder, "last")
    assert last.counts.tables["items"].duplicates == 2
    assert {e["item_id"][0]: e["title"][0] for e in last.examples("all")} == {
        "a": "third", "b": "only",
    }  # fmt: skip
