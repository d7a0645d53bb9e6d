"""A log in several tables: one log for splits and rules, counted and rejected by table."""

import json

import pyarrow as pa
import pytest

from components.ingest import preflight, refresh
from components.ingest.output import acceptance
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused, UsageError

T0 = 1_600_000_000
VIEWS = {"path": "views.csv", "constants": {"kind": "view"}}
BUYS = {
    "path": "buys.jsonl",
    "format": "jsonl",
    "user_id": "buyer",
    "item_id": "sku",
    "timestamp": "at",
    "timestamp_unit": "ms",
    "constants": {"kind": "purchase"},
}


def described(*tables, **data):
    return Dataset.model_validate(
        {
            "data": {"interactions": list(tables), "items": {"path": "items.csv"}} | data,
            "features": {"context": {"kind": {"kind": "category"}, "page": {"kind": "category"}}},
            "labels": {"positive": {"column": "kind", "is_in": ["purchase"]}},
        }
    )


def buy(user, item, at, paid):
    return json.dumps({"buyer": user, "sku": item, "at": at * 1000, "paid": paid}) + "\n"


FILES = {
    "views.csv": "user_id,item_id,timestamp,page\n"
    + "".join(f"u1,i{n},{T0 + 2 * n},home\n" for n in range(10))
    + "u1,i0,soon,home\n",
    "buys.jsonl": "".join(buy("u1", f"i{n}", T0 + 2 * n + 1, 5) for n in range(10))
    + buy("u1", "i0", T0 + 1, 7)  # the event of line 1 again
    + buy("", "i0", T0, 7),
    "items.csv": "item_id\n" + "".join(f"i{n}\n" for n in range(10)),
}


def read_events(ingested):
    """(item, time, kind, page, positive) in order of time."""
    events = set()
    for split in ("train", "valid", "test"):
        for example in ingested.examples(split):
            columns = ("item_ids", "timestamps", "context_kind", "context_page", "positive")
            events |= set(zip(*(example[name] for name in columns), strict=True))
    return sorted(events, key=lambda event: event[1])


def test_events_of_all_tables_are_one_log(ingest_events, lay):
    ingested = ingest_events(described(VIEWS, BUYS), lay(FILES))
    views = [(f"i{n}", T0 + 2 * n, "view", "home", 0) for n in range(10)]
    buys = [(f"i{n}", T0 + 2 * n + 1, "purchase", "", 1) for n in range(10)]
    assert read_events(ingested) == sorted(views + buys, key=lambda event: event[1])


def test_each_table_is_counted_and_has_its_own_dead_letters(ingest_events, lay):
    ingested = ingest_events(described(VIEWS, BUYS), lay(FILES))
    views, buys = (ingested.counts.tables[name] for name in ("interactions", "interactions.1"))
    assert (views.read, views.accepted, views.rejected, views.duplicates) == (11, 10, 1, 0)
    assert (buys.read, buys.accepted, buys.rejected, buys.duplicates) == (12, 10, 1, 1)
    assert [letter[:3] for letter in ingested.letters("interactions")] == [
        ("views.csv", 12, "bad_timestamp")
    ]
    assert [letter[:3] for letter in ingested.letters("interactions.1")] == [
        ("buys.jsonl", 12, "missing_user_id")
    ]
    acceptance.check(
        ingested.counts, described(VIEWS, BUYS, max_rejected_fraction=0.1).data, "rejected"
    )


def test_a_broken_table_is_refused_however_large_the_others_are(ingest_events, lay):
    seconds = BUYS | {"timestamp_unit": "s"}
    ingested = ingest_events(described(VIEWS, seconds), lay(FILES))
    with pytest.raises(DataRefused, match=r"interactions\.1: expected at most 20.00% .* 12 of 12"):
        acceptance.check(
            ingested.counts, described(VIEWS, BUYS, max_rejected_fraction=0.2).data, "rejected"
        )


def test_a_rule_rejects_events_of_every_table_into_its_own_folder(ingest_events, lay):
    files = FILES | {"items.csv": "item_id\n" + "".join(f"i{n}\n" for n in range(1, 10))}
    strict = described(VIEWS | {"unknown_item": "reject"}, BUYS)
    ingested = ingest_events(strict, lay(files))
    for name, file in (("interactions", "views.csv"), ("interactions.1", "buys.jsonl")):
        table = ingested.counts.tables[name]
        assert (table.accepted, table.rejected_by_reason["unknown_item"]) == (9, 1)
        assert table.read == table.accepted + table.rejected + table.duplicates
        unknown = [letter[0] for letter in ingested.letters(name) if letter[2] == "unknown_item"]
        assert unknown == [file]
    assert {event[2] for event in read_events(ingested)} == {"view", "purchase"}


def test_of_the_same_event_in_two_tables_the_later_table_has_it(ingest_events, lay):
    files = FILES | {"buys.jsonl": buy("u1", "i3", T0 + 6, 5)}
    ingested = ingest_events(described(VIEWS, BUYS), lay(files))
    assert ("i3", T0 + 6, "purchase", "", 1) in read_events(ingested)
    assert ingested.counts.tables["interactions"].duplicates == 1


def test_a_column_must_be_in_one_of_the_tables(lay):
    folder = lay(FILES)
    preflight.check(described(VIEWS, BUYS), folder)
    bare = {"path": "buys.jsonl", "format": "jsonl"} | {
        key: BUYS[key] for key in ("user_id", "item_id", "timestamp", "timestamp_unit")
    }
    with pytest.raises(ConfigError, match="labels.positive.column expects column 'kind'"):
        preflight.check(described(VIEWS | {"constants": {}}, bare), folder)


@pytest.mark.parametrize(
    ("views", "sentence"),
    [
        (VIEWS | {"constants": {"page": "x"}}, "does not have, received 'page'"),
        (VIEWS | {"user_id": "visitor"}, r"data.interactions.user_id expects column 'visitor'"),
    ],
)
def test_a_table_that_does_not_fit_its_files_is_refused(lay, views, sentence):
    with pytest.raises(ConfigError, match=sentence):
        preflight.check(described(views, BUYS), lay(FILES))


def test_a_refresh_expects_a_path_for_each_table(lay, tmp_path):
    folder, items = lay(FILES), pa.array([f"i{n}".encode() for n in range(10)], pa.large_binary())
    dataset = described(VIEWS, BUYS, max_rejected_fraction=0.1)
    paths = [f"{folder}/views.csv", f"{folder}/buys.jsonl"]
    result = refresh.read_events(dataset, paths, str(tmp_path / "rejected"), items)
    assert result.records.num_rows == 10  # the purchases are positive
    assert result.counts.tables["interactions.1"].duplicates == 1
    with pytest.raises(UsageError, match="--events expects 2 paths, .* received 1; repeat"):
        refresh.read_events(dataset, paths[:1], str(tmp_path / "rejected"), items)
