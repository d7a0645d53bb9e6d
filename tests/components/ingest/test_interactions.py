"""Events through the whole pipeline, with expectations written by hand."""

import datetime
import json
import math
import pathlib
import random

import pytest

from components.ingest import preflight
from components.ingest.output import histories
from components.ingest.read import blocks
from schema.dataset import Dataset
from schema.errors import ConfigError

T0 = 1_600_000_000


def dataset(interactions: dict, users: dict | None = None, **more) -> Dataset:
    data = {"interactions": interactions, "items": {"path": "items.csv"}}
    bounds = {
        key: more.pop(key) for key in ("events_per_example", "history_per_example") if key in more
    }
    if users is not None:
        data["users"] = users
    return Dataset.model_validate({"data": {**data, **bounds}, **more})


def test_windows_carry_history_and_splits_follow_the_clock(lay, ingest_events):
    # Ten events, one a second: the cuts of 0.8 and 0.9 are the events at index 8 and 9.
    rows = [("a", f"i{n}", T0 + n) for n in range(10)]
    folder = lay({"log.csv": "".join(f"{u},{i},{t}\n" for u, i, t in rows)})
    source = {"path": "log.csv", "columns": ["user_id", "item_id", "timestamp"]}
    ingested = ingest_events(dataset(source, events_per_example=3, history_per_example=2), folder)
    train = [(e["item_ids"], e["target_from"]) for e in ingested.examples("train")]
    assert train == [
        (["i0", "i1", "i2"], [0]),
        (["i1", "i2", "i3", "i4", "i5"], [2]),
        (["i4", "i5", "i6", "i7"], [2]),
    ]
    assert [(e["item_ids"], e["target_from"]) for e in ingested.examples("valid")] == [
        (["i6", "i7", "i8"], [2])
    ]
    assert [(e["item_ids"], e["target_from"]) for e in ingested.examples("test")] == [
        (["i7", "i8", "i9"], [2])
    ]
    assert ingested.counts.totals == {
        "users": 1, "train": 8, "valid": 1, "test": 1, "t_valid": T0 + 8, "t_test": T0 + 9,
        "t_begin": T0, "t_end": T0 + 10,
    }  # fmt: skip


def test_events_at_a_cut_belong_to_the_later_split(lay, ingest_events):
    # Index 8 and 9 of ten: both at T0 + 5, so all events of that second are test and none is valid.
    moments = [0, 1, 2, 3, 4, 5, 5, 5, 5, 5]
    text = "".join(f"u{n},i,{T0 + m}\n" for n, m in enumerate(moments))
    source = {"path": "log.csv", "columns": ["user_id", "item_id", "timestamp"]}
    totals = ingest_events(dataset(source), lay({"log.csv": text})).counts.totals
    assert (totals["train"], totals["valid"], totals["test"]) == (5, 0, 5)
    assert (totals["t_valid"], totals["t_test"]) == (T0 + 5, T0 + 5)


def test_fields_of_a_timeline(lay, ingest_events):
    log = [
        {
            "user_id": 7,
            "item_id": "x",
            "timestamp": T0 + 1,
            "stars": 5,
            "device": "phone",
            "price": 2,
        },
        {"user_id": "7", "item_id": "y", "timestamp": T0, "stars": None, "seen": T0 + 0.5},
        {"user_id": "8", "item_id": "x", "timestamp": str(T0 + 2), "stars": "3.5", "device": ""},
    ]
    people = [
        {"user_id": 7, "age": 30, "tags": ["a", "b"], "joined": T0, "taste": [1, 0.5]},
        {"user_id": 7, "age": 31, "tags": "c|d||e", "about": "Likes tea.", "taste": None},
        {"user_id": "9", "age": 50},
    ]
    folder = lay({"log.jsonl": _lines(log), "users.jsonl": _lines(people)})
    described = dataset(
        {"path": "log.jsonl", "format": "jsonl"},
        users={"path": "users.jsonl", "format": "jsonl"},
        labels={
            "positive": {"column": "stars", "at_least": 4},
            "ranking": {"rating": {"column": "stars", "kind": "regression"}},
        },
        features={
            "context": {
                "device": {"kind": "category"},
                "cost": {"kind": "number", "column": "price"},
                "seen": {"kind": "timestamp"},
            },
            "users": {
                "age": {"kind": "category"},
                "tags": {"kind": "set"},
                "about": {"kind": "text"},
                "joined": {"kind": "timestamp"},
                "taste": {"kind": "vector", "size": 2},
            },
        },
        split={"valid_fraction": 0.3, "test_fraction": 0.3},
    )
    # The cuts of three events are at index floor(3 x 0.4) = 1 and floor(3 x 0.7) = 2.
    ingested = ingest_events(described, folder)
    [valid] = ingested.examples("valid")
    assert math.isnan(valid.pop("label_rating")[0])
    assert math.isnan(valid.pop("context_cost")[0])
    assert valid == {
        "user_id": ["7"],
        "item_ids": ["y", "x"],
        "timestamps": [T0, T0 + 1],
        "positive": [0, 1],
        "target_from": [1],
        "context_device": ["", "phone"],
        "context_seen": [T0, 0],
        "user_age": ["31"],
        "user_tags": ["c", "d", "e"],
        "user_about": ["Likes tea."],
        "user_joined": [],
        "user_taste": [],
    }
    [test] = ingested.examples("test")
    assert test["label_rating"] == [3.5]
    assert test["positive"] == [0]
    assert test["user_age"] == []
    users = ingested.counts.tables["users"]
    assert (users.read, users.accepted, users.duplicates) == (3, 2, 1)


def test_vectors_of_users_reach_their_timeline(lay, ingest_events):
    folder = lay(
        {
            "log.csv": f"user_id,item_id,timestamp\na,i,{T0}\n",
            "users.csv": 'user_id,taste\na,"[1, 0.5]"\n',
        }
    )
    described = dataset(
        {"path": "log.csv"},
        users={"path": "users.csv"},
        features={"users": {"taste": {"kind": "vector", "size": 2}}},
    )
    [test] = ingest_events(described, folder).examples("test")
    assert test["user_taste"] == [1.0, 0.5]


def test_dead_letters_and_duplicates_by_hand(lay, ingest_events):
    lines = [
        f"a::i::{T0}::4",  # 1
        f"a::i::{T0}::5",  # 2: again: the last one is kept
        "a::i::4",  # 3
        f"::i::{T0}::4",  # 4
        f"a:: ::{T0}::4",  # 5
        "a::i::soon::4",  # 6
        f"a::i::{T0}000::4",  # 7: ms
        f"n::i::{T0}::inf",  # 8: an event without a rating
        f"{'u' * 1025}::i::{T0}::4",  # 9
        "",  # 10: not a record
        f'"b::c"::i::{T0 + 1}::4',  # 11: a quoted delimiter
        f'"b::i::{T0}::4',  # 12
        "a::i::::4",  # 13
    ]
    raw = "\r\n".join(lines).encode() + b"\n\xff::i::1600000000::4\n"
    source = {
        "path": "log.dat",
        "delimiter": "::",
        "columns": ["user_id", "item_id", "timestamp", "rating"],
    }
    labels = {"ranking": {"rating": {"column": "rating", "kind": "regression"}}}
    ingested = ingest_events(dataset(source, labels=labels), lay({"log.dat": raw}))
    assert ingested.letters("interactions") == [
        ("log.dat", 3, "wrong_field_count", "a::i::4"),
        ("log.dat", 4, "missing_user_id", f"::i::{T0}::4"),
        ("log.dat", 5, "missing_item_id", f"a:: ::{T0}::4"),
        ("log.dat", 6, "bad_timestamp", "a::i::soon::4"),
        ("log.dat", 7, "timestamp_out_of_range", f"a::i::{T0}000::4"),
        ("log.dat", 9, "overlong_id", f"{'u' * 1025}::i::{T0}::4"),
        ("log.dat", 12, "broken_quoting", f'"b::i::{T0}::4'),
        ("log.dat", 13, "bad_timestamp", "a::i::::4"),
        ("log.dat", 14, "invalid_encoding", "\\xff::i::1600000000::4"),
    ]
    table = ingested.counts.tables["interactions"]
    assert (table.read, table.accepted, table.rejected, table.duplicates) == (13, 3, 9, 1)
    assert table.unreadable["labels.ranking.rating.column"]["values"] == 1
    assert table.rejected_by_reason["bad_timestamp"] == 2
    ratings = {
        e["user_id"][0]: e["label_rating"]
        for split in ("train", "valid", "test")
        for e in ingested.examples(split)
    }
    assert math.isnan(ratings.pop("n")[0])
    assert ratings == {"a": [5.0], "b::c": [4.0]}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r"])
def test_an_export_with_notes_and_continental_numbers(
    lay, ingest_events, monkeypatch, encoding, newline
):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 40)
    lines = ["Umsätze", "user_id;item_id;timestamp;paid;", "# May"]
    lines += [f"a;i{n};{T0 + n};'{n}.00{n},5 €';" for n in range(8)]
    lines += ["# June", f"\\N;i8;{T0 + 8};1;", f"a;i9;{T0 + 9};NULL;", f"a;'i\n10';{T0 + 10};1;"]
    source = {
        "path": "log.csv", "delimiter": ";", "quote": "'", "skip_lines": 1, "comment": "#",
        "encoding": encoding, "decimal": ",", "thousands": ".",
    }  # fmt: skip
    labels = {"ranking": {"paid": {"column": "paid", "kind": "regression"}}}
    folder = lay({"log.csv": newline.join(lines).encode(encoding)})
    ingested = ingest_events(dataset(source, labels=labels), folder)
    table = ingested.counts.tables["interactions"]
    assert (table.read, table.accepted, table.rejected, table.comments) == (11, 9, 2, 2)
    assert table.rejected_by_reason == {"bad_id": 1, "missing_user_id": 1}
    assert not table.unreadable
    paid = {
        item: value
        for split in ("train", "valid", "test")
        for example in ingested.examples(split)
        for item, value in zip(example["item_ids"], example["label_paid"], strict=True)
    }
    assert math.isnan(paid.pop("i9"))
    assert paid == {f"i{n}": n * 1001 + 0.5 for n in range(8)}


def test_a_new_run_replaces_the_letters_of_the_last(lay, ingest_events):
    source = {"path": "log.csv"}
    head = "user_id,item_id,timestamp\n"
    bad = lay({"log.csv": head + "a,i\n"}, "bad")
    good = lay({"log.csv": head + f"a,i,{T0}\n"}, "good")
    assert len(ingest_events(dataset(source), bad).letters("interactions")) == 1
    assert ingest_events(dataset(source), good).letters("interactions") == []


def test_the_result_does_not_depend_on_files_and_blocks(lay, ingest_events, monkeypatch):
    chance = random.Random(5)
    rows = [
        (f"u{chance.randrange(20)}", f"i{chance.randrange(9)}", T0 + chance.randrange(40) // 2, n)
        for n in range(400)
    ]
    source = {"path": "log*", "format": "jsonl"}
    described = dataset(
        source,
        labels={"ranking": {"rating": {"column": "rating", "kind": "regression"}}},
        events_per_example=4,
        history_per_example=3,
    )
    names = ("user_id", "item_id", "timestamp", "rating")
    log = [dict(zip(names, row, strict=True)) for row in rows]
    whole = ingest_events(described, lay({"log.jsonl": _lines(log)}, "whole"), "one")
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 300)
    parts = {"log-b.jsonl.gz": log[51:99], "log-a.jsonl": log[:51], "log-c.jsonl": log[99:]}
    divided = lay({name: _lines(part) for name, part in parts.items()}, "divided")
    other = ingest_events(described, divided, "two")
    assert whole.counts == other.counts
    assert whole.counts.tables["interactions"].duplicates > 0
    ties = [t for e in whole.examples("train") for t in e["timestamps"]]
    assert len(set(ties)) < len(ties) / 2
    for split in ("train", "valid", "test"):
        assert whole.examples(split) == other.examples(split)


def test_a_truncated_gzip_file_gives_one_dead_letter_and_the_records_before_it(
    lay, ingest_events, tmp_path
):
    folder = lay(
        {"log.csv.gz": "".join(f"u,{random.Random(n).random()},{T0 + n}\n" for n in range(4000))}
    )
    path = tmp_path / "data" / "log.csv.gz"
    path.write_bytes(path.read_bytes()[:-2000])
    source = {"path": "log.csv.gz", "columns": ["user_id", "item_id", "timestamp"]}
    ingested = ingest_events(dataset(source), folder)
    table = ingested.counts.tables["interactions"]
    assert table.rejected_by_reason == {"damaged_file": 1}
    assert 1000 < table.accepted < 4000
    assert table.read == table.accepted + 1
    [(_, line, _, _)] = ingested.letters("interactions")
    assert line == table.accepted + 1


def test_histories_hold_all_events_of_a_user_in_order(lay, ingest_events):
    rows = [(f"u{n % 7}", f"i{n}", T0 + 100 - n) for n in range(70)]
    text = "user_id,item_id,timestamp,device\n" + "".join(
        f"{u},{i},{t},{'tv' if t % 2 else ''}\n" for u, i, t in rows
    )
    people = "user_id,city\nu3,Bonn\n"
    described = dataset(
        {"path": "log.csv"},
        users={"path": "users.csv"},
        features={
            "context": {"device": {"kind": "category"}},
            "users": {"city": {"kind": "category"}},
        },
        events_per_example=4,
        history_per_example=2,
    )
    ingested = ingest_events(described, lay({"log.csv": text, "users.csv": people}))
    own = sorted((t, i) for u, i, t in rows if u == "u3")
    assert histories.look_up(ingested.histories, "u3") == histories.History(
        user_id="u3",
        item_ids=[i for _, i in own],
        timestamps=[t for t, _ in own],
        context={"device": ["tv" if t % 2 else "" for t, _ in own]},
        user={"city": "Bonn"},
    )
    other = histories.look_up(ingested.histories, "u4")
    assert other is not None
    assert other.user == {"city": None}
    assert histories.look_up(ingested.histories, "u99") is None
    batches = list(histories.iterate(ingested.histories, 2))
    assert max(map(len, batches)) <= 2
    users = [history.user_id for batch in batches for history in batch]
    assert sorted(users) == [f"u{n}" for n in range(7)]


def _milliseconds(moment: float) -> dict[str, str]:
    """The same time in each unit, as written in a file."""
    second, thousandths = divmod(round(moment * 1000), 1000)
    iso = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
    return {
        "s": f"{second}.{thousandths:03d}",
        "ms": f"{second}{thousandths:03d}",
        "us": f"{second}{thousandths:03d}000",
        "iso8601": f"{iso:%Y-%m-%dT%H:%M:%S}.{thousandths:03d}+00:00",
    }


@pytest.mark.parametrize("unit", ["s", "ms", "us", "iso8601"])
def test_the_last_item_is_the_last_within_its_second(lay, ingest_events, unit):
    # Ids run against time: by whole seconds and ids the last of all would be i9.
    rows = [(f"i{9 - n}", T0 + n / 8) for n in range(10)]
    lines = [f"a,{item},{_milliseconds(moment)[unit]}\n" for item, moment in rows]
    folder = lay({"log.csv": "user_id,item_id,timestamp\n" + "".join(reversed(lines))})
    described = dataset({"path": "log.csv", "timestamp_unit": unit}, split={"kind": "last_item"})
    ingested = ingest_events(described, folder)
    [test] = ingested.examples("test")
    assert test["item_ids"] == [f"i{9 - n}" for n in range(10)]
    assert test["timestamps"] == [T0] * 8 + [T0 + 1] * 2
    assert test["target_from"] == [9]


def test_ties_are_in_the_order_of_files_and_lines(lay, ingest_events):
    # A quoted field makes its line take another code path, and `log-10` sorts before `log-9`.
    parts = {
        "log-9.csv": f'a,e,{T0}\na,"c",{T0}\na,d,{T0}\n',
        "log-10.csv": f'a,"z",{T0}\na,y,{T0}\nb,x,{T0}\n',
    }
    source = {"path": "log*", "columns": ["user_id", "item_id", "timestamp"]}
    ingested = ingest_events(dataset(source), lay(parts))
    result = histories.look_up(ingested.histories, "a")
    assert result is not None
    assert result.item_ids == ["z", "y", "e", "c", "d"]


@pytest.mark.parametrize("head", ["user_id, item_id ,\ttimestamp", "user_id,item_id,timestamp "])
def test_blanks_around_column_names_are_removed(lay, ingest_events, head):
    folder = lay({"log.csv": f"{head}\na,x,{T0}\n", "items.csv": " item_id\nx\n"})
    preflight.check(dataset({"path": "log.csv"}), folder)
    result = ingest_events(dataset({"path": "log.csv"}), folder)
    assert result.events("test") == [("a", "x", T0)]
    assert result.counts.meetings["items"].met == 1
    with pytest.raises(ConfigError, match="expects column"):
        preflight.check(dataset({"path": "log.csv", "strip_names": False}), folder)


def test_no_histories_at_all_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="histories-"):
        histories.look_up(str(tmp_path), "a")


def test_splits_equal_those_of_the_reference(shared_data, ingest_events, tmp_path, run_referee):
    source = shared_data / "movietweetings-100k"
    split = run_referee(source, tmp_path / "split")
    described = dataset(
        {
            "path": "ratings.dat",
            "delimiter": "::",
            "columns": ["user", "movie", "rating", "ts"],
            "user_id": "user",
            "item_id": "movie",
            "timestamp": "ts",
        }
    )
    ingested = ingest_events(described, str(source))
    meta = json.loads((split / "meta.json").read_text())
    assert ingested.counts.totals["t_valid"] == meta["t_valid"]
    assert ingested.counts.totals["t_test"] == meta["t_test"]
    for name in ("train", "valid", "test"):
        rows = map(json.loads, (split / f"{name}.jsonl").read_text().splitlines())
        expected = sorted((r["user_id"], r["item_id"], r["timestamp"]) for r in rows)
        assert ingested.events(name) == expected
    first = pathlib.Path(split / "test.jsonl").read_text().splitlines()[0]
    assert json.loads(first)["timestamp"] == meta["t_test"]


def _lines(records: list[dict]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)
