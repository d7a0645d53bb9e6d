"""Splits without a clock: by the tables of the events, or drawn for each user."""

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import sparse

from components.ingest import preflight
from components.ingest.events.assigned_splits import draw_held_out
from components.ingest.output import acceptance, histories
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused

NO_TIME = 946_684_800  # 2000-01-01T00:00:00Z
LISTS = ("train", "test")


def described(*splits, kind="files", **table):
    """Published files of `splits`, by default LightGCN's lists; `table` overrides keys."""
    tables = [{"path": f"{s}.txt", "format": "lists", "split": s} | table for s in splits]
    return Dataset.model_validate({"data": {"interactions": tables}, "split": {"kind": kind}})


def pairs(ingested, *splits):
    return sorted((user, item) for each in splits for user, item, _ in ingested.events(each))


def test_lists_by_hand(lay, ingest_events):
    folder = lay({"train.txt": "0 5 3 9\n1 3\n\n2 9 9\n", "test.txt": "0 7 5\n1 \n3 4\n"})
    preflight.check(described(*LISTS), folder)
    ingested = ingest_events(described(*LISTS), folder)
    assert pairs(ingested, "test") == [("0", "5"), ("0", "7"), ("3", "4")]
    # of three events one or none is drawn for valid, and a single event stays in train
    assert pairs(ingested, "train", "valid") == [
        ("0", "3"), ("0", "5"), ("0", "9"), ("1", "3"), ("2", "9"),
    ]  # fmt: skip
    assert {moment for split in ("train", "test") for *_, moment in ingested.events(split)} == {
        NO_TIME
    }
    train, test = (ingested.counts.tables[name] for name in ("interactions", "interactions.1"))
    assert (train.read, train.accepted, train.duplicates, train.rejected) == (6, 5, 1, 0)
    assert (test.read, test.accepted, test.duplicates, test.rejected) == (3, 3, 0, 0)


def test_a_history_ends_where_test_begins(lay, ingest_events):
    ingested = ingest_events(
        described(*LISTS), lay({"train.txt": "u a b c\n", "test.txt": "u d\nv a"})
    )
    table = histories.load(ingested.histories, pa.array(["u", "v"], pa.large_string()))
    assert table["test_from"].to_pylist() == [3, 0]
    assert table["item_ids"].to_pylist()[0][3:] == ["d"]
    [example] = [each for each in ingested.examples("test") if each["user_id"] == ["u"]]
    assert sorted(example["item_ids"][:3]) == ["a", "b", "c"]
    assert example["target_from"] == [3]


ids = st.integers(0, 6).map(str)
lists = st.lists(st.tuples(ids, st.lists(ids, max_size=8)), max_size=6)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(train=lists, valid=lists | st.none(), test=lists)
def test_each_pair_is_in_the_split_of_its_file(train, valid, test, ingest_events, tmp_path_factory):
    """No event of a test file is in train, and no record is lost."""
    folder = tmp_path_factory.mktemp("data")
    files = {"train": train, "valid": valid, "test": test}
    given_files = {split: rows for split, rows in files.items() if rows is not None}
    for split, rows in given_files.items():
        text = "".join(f"{user} {' '.join(items)}\n" for user, items in rows)
        (folder / f"{split}.txt").write_text(text)
    ingested = ingest_events(described(*given_files), str(folder), folder.name)
    written = {
        split: Counter((user, item) for user, items in rows for item in items)
        for split, rows in given_files.items()
    }
    assert pairs(ingested, "test") == sorted(written["test"])
    if valid is None:
        drawn = pairs(ingested, "train"), pairs(ingested, "valid")
        assert sorted(drawn[0] + drawn[1]) == sorted(written["train"])
        assert {user for user, _ in drawn[0]} == {user for user, _ in written["train"]}
    else:
        assert pairs(ingested, "train") == sorted(written["train"])
        assert pairs(ingested, "valid") == sorted(written["valid"])
    for number, split in enumerate(given_files):
        table = ingested.counts.tables["interactions" + f".{number}" * bool(number)]
        assert table.read == written[split].total()
        assert (table.accepted, table.rejected) == (len(written[split]), 0)
        assert table.read == table.accepted + table.duplicates


def test_what_is_drawn_does_not_depend_on_the_order_of_the_file(lay, ingest_events):
    rows = [f"u{n % 7},i{n}\n" for n in range(70)]
    splits = []
    for name, order in (("a", rows), ("b", rows[::-1]), ("c", rows)):
        source = {"path": "log.csv", "columns": ["user_id", "item_id"], "timestamp": ""}
        split = {"kind": "random", "test_fraction": 0.2, "seed": int(name == "c")}
        dataset = Dataset.model_validate({"data": {"interactions": source}, "split": split})
        folder = lay({"log.csv": "".join(order)}, name)
        preflight.check(dataset, folder)
        ingested = ingest_events(dataset, folder, f"run-{name}")
        splits.append({each: pairs(ingested, each) for each in ("train", "valid", "test")})
        assert {each: len(rows) for each, rows in splits[-1].items()} == {
            "train": 49, "valid": 7, "test": 14,
        }  # fmt: skip
    assert splits[0] == splits[1] != splits[2]


def test_events_without_order_do_not_follow_the_file(lay, ingest_events):
    """Published lists are sorted by item: from their order, a model would learn the next number."""
    items = [f"{n:02}" for n in range(40)]
    folder = lay({"train.txt": f"u {' '.join(items)}", "test.txt": "u x"})
    [example] = ingest_events(described(*LISTS), folder).examples("train")
    order = example["item_ids"]
    rises = sum(one < other for one, other in itertools.pairwise(order))
    assert 0.2 < rises / len(order) < 0.8


def test_files_with_times_keep_their_order(lay, ingest_events):
    train = "user_id,item_id,timestamp\n" + "".join(
        f"u,i{n},{NO_TIME + n * 9}\n" for n in (4, 1, 3, 0, 2)
    )
    test = f"user_id,item_id,timestamp\nu,t,{NO_TIME}\n"  # earlier than most of train
    table = {"format": "csv"}
    valid = "user_id,item_id,timestamp\n" + f"u,v,{NO_TIME + 1}\n"
    folder = lay({"train.txt": train, "valid.txt": valid, "test.txt": test})
    ingested = ingest_events(described("train", "valid", "test", **table), folder)
    [example] = ingested.examples("test")
    assert example["item_ids"] == ["i0", "i1", "i2", "i3", "i4", "v", "t"]
    assert ingested.events("test") == [("u", "t", NO_TIME)]


def test_matrices(lay, ingest_events, tmp_path):
    folder = lay({})
    train = sparse.coo_matrix(([2.0, 5.0, 1.0, 0.0], ([0, 0, 1, 1], [1, 2, 0, 1])), shape=(3, 4))
    test = sparse.csr_matrix(np.array([[0, 0, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]))
    sparse.save_npz(f"{folder}/train.npz", train)
    sparse.save_npz(f"{folder}/test.npz", test)
    tables = [{"path": f"{s}.npz", "format": "npz", "split": s} for s in LISTS]
    labels = {"positive": {"column": "value", "at_least": 2}}
    dataset = Dataset.model_validate(
        {"data": {"interactions": tables}, "split": {"kind": "files"}, "labels": labels}
    )
    preflight.check(dataset, folder)
    ingested = ingest_events(dataset, folder)
    assert pairs(ingested, "train", "valid") == [("0", "1"), ("0", "2"), ("1", "0")]
    assert pairs(ingested, "test") == [("0", "3"), ("2", "0")]
    positive = {
        (item, sign)
        for example in ingested.examples("train")
        for item, sign in zip(example["item_ids"], example["positive"], strict=True)
    }
    assert positive <= {("1", 1), ("2", 1), ("0", 0)}
    assert ("0", 0) in positive
    assert ingested.counts.tables["interactions"].read == 3


def test_a_damaged_matrix_stops_the_run(lay, ingest_events):
    folder = lay({"train.txt": b"PK\x03\x04 cut off", "test.txt": b"PK\x03\x04"})
    dataset = described(*LISTS, format="npz")
    ingested = ingest_events(dataset, folder)
    assert [letter[:3] for letter in ingested.letters("interactions")] == [
        ("train.txt", 1, "damaged_file")
    ]
    with pytest.raises(DataRefused, match="damaged_file"):
        acceptance.check(ingested.counts, dataset.data, "rejected")


def test_the_format_of_a_matrix_is_detected(lay):
    folder = lay({"train.txt": "1 2\n", "test.txt": "1 2\n"})
    with pytest.raises(ConfigError, match='set format = "lists"'):
        preflight.check(described(*LISTS, format="npz"), folder)
    sparse.save_npz(f"{folder}/train", sparse.csr_matrix(np.eye(2)))
    with pytest.raises(ConfigError, match='set format = "npz"'):
        preflight.check(described(*LISTS, path="train.npz"), folder)


def test_draws_are_exact_shares_on_average():
    """Three events each: a tenth of them is less than one."""
    random = np.random.default_rng(3)
    user = np.repeat(np.arange(20_000), 3)
    keys = random.integers(0, 2**63, len(user)).astype(np.uint64)
    drawn = draw_held_out(user, keys, 0.1, 0.2)
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.005)
    assert np.bincount(user[drawn == 0], minlength=20_000).min() >= 1


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=20),
    st.floats(0.01, 0.49),
    st.floats(0, 0.49),
    st.integers(0, 9),
)
def test_draws_are_within_one_of_the_share(lengths, valid, test, seed):
    user = np.repeat(np.arange(len(lengths)), lengths)
    keys = np.random.default_rng(seed).integers(0, 2**63, len(user)).astype(np.uint64)
    drawn = draw_held_out(user, keys, valid, test)
    for number, n in enumerate(lengths):
        train, held, last = np.bincount(drawn[user == number], minlength=3)
        assert train >= 1
        assert abs(last - n * test) < 1 or train == 1
        assert abs(held - n * valid) < 1 or train == 1
        assert last == 0 or test > 0


TWO = [{"path": "a", "split": "train"}, {"path": "b", "split": "test"}]


@pytest.mark.parametrize(
    ("tables", "split", "message"),
    [
        ([{"path": "a"}], {"kind": "files"}, r"data\.interactions\.split in each"),
        ([{"path": "a", "split": "train"}], {"kind": "files"}, "train and test among them"),
        (TWO, {"kind": "clock"}, r"interactions\.split goes with split\.kind = .files"),
        ([{"path": "a", "timestamp": ""}], {"kind": "clock"}, "split.kind expects 'random' or"),
        ([{"path": "a", "format": "lists"}], {"kind": "last_item"}, "split.kind expects 'random'"),
        ([{"path": "a", "format": "sequences"}], {"kind": "clock"}, "split.kind expects 'last_it"),
        (
            [TWO[0], TWO[1] | {"timestamp": ""}],
            {"kind": "files"},
            "times in all of its tables or in none",
        ),
        (
            [*TWO, {"path": "c", "split": "valid"}],
            {"kind": "files", "valid_fraction": 0.2},
            r"split\.valid_fraction is drawn",
        ),
        (TWO, {"kind": "files", "test_fraction": 0.2}, "test_fraction goes with"),
        ([{"path": "a"}], {"kind": "clock", "seed": 1}, "seed goes with"),
        (
            [{"path": "a", "timestamp": "", "not_after": "2026-01-31T00:00:00Z"}],
            {"kind": "random"},
            "not_after goes with times",
        ),
        (
            [{"path": "a", "format": "npz", "time_outliers": "reject"}],
            {"kind": "random"},
            "time_outliers goes with times",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(tables, split, message):
    with pytest.raises(ValidationError, match=message):
        Dataset.model_validate({"data": {"interactions": tables}, "split": split})


def test_pairs_are_for_events_only():
    data = {"interactions": {"path": "a"}, "items": {"path": "b", "format": "npz"}}
    with pytest.raises(ValidationError, match=r"for events, not for data\.items"):
        Dataset.model_validate({"data": data})
