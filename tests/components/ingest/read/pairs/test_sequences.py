"""Sequences: each event once, in order, and leave-one-out as in the reference implementation."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.ingest import preflight
from components.ingest.output import acceptance
from components.ingest.read.lines import Lines
from components.ingest.read.pairs.sequences import expand_sequences, parse_pairs
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused

END = 946_684_800  # 2000-01-01T00:00:00Z


def described(**more) -> Dataset:
    data = {
        "interactions": {"path": "log.txt", "format": "sequences"},
        "items": {"path": "items.csv"},
    }
    return Dataset.model_validate({"data": data, "split": {"kind": "last_item"}, **more})


def test_events_by_hand(lay, ingest_events):
    folder = lay({"log.txt": 'u1 a b a c\r\nu2  a\tb\n\nlonely\nu3 c "a b\n'})
    ingested = ingest_events(described(), folder)
    assert ingested.events("test") == [("u1", "c", END), ("u3", "b", END)]
    assert ingested.events("valid") == [("u1", "a", END - 1), ("u3", '"a', END - 1)]
    assert ingested.events("train") == [
        ("u1", "a", END - 3), ("u1", "b", END - 2), ("u2", "a", END - 1), ("u2", "b", END),
        ("u3", "c", END - 2),
    ]  # fmt: skip
    assert ingested.letters("interactions") == [("log.txt", 4, "wrong_field_count", "lonely")]
    table = ingested.counts.tables["interactions"]
    assert (table.read, table.accepted, table.rejected, table.duplicates) == (10, 9, 1, 0)
    assert ingested.counts.totals == {
        "users": 3, "train": 5, "valid": 2, "test": 2, "t_begin": END - 3, "t_end": END + 1,
    }  # fmt: skip


@given(st.lists(st.text(st.sampled_from('ab"\t \u2003é\0,'), max_size=8), max_size=8))
def test_every_event_of_every_line_is_read_in_order(texts):
    source = described().data.interactions
    lines = Lines("f", texts, np.arange(1, len(texts) + 1), [])
    expanded = expand_sequences(lines)
    result = parse_pairs(expanded.texts, {"user_id", "item_id"}, source)
    events = zip(
        expanded.numbers[result.index].tolist(),
        result.columns["user_id"].to_pylist(),  # pyright: ignore[reportAttributeAccessIssue]
        result.columns["item_id"].to_pylist(),  # pyright: ignore[reportAttributeAccessIssue]
        strict=True,
    )
    expected = [
        (number, text.split()[0], item)
        for number, text in enumerate(texts, 1)
        for item in text.split()[1:]
    ]
    assert list(events) == expected
    short = [number for number, text in enumerate(texts, 1) if len(text.split()) < 2]
    assert expanded.numbers[sorted(result.faults)].tolist() == short


def test_a_column_that_sequences_do_not_have_is_refused_at_preflight(lay):
    folder = lay({"log.txt": "u a b c\n", "items.csv": "item_id\na\n"})
    ranking = {"rating": {"column": "stars", "kind": "regression"}}
    with pytest.raises(ConfigError, match=r"'stars'.*sequences have no other columns"):
        preflight.check(described(labels={"ranking": ranking}), folder)
    preflight.check(described(), folder)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ("interactions", {"format": "sequences", "columns": ["user_id"]}),
        ("interactions", {"format": "sequences", "timestamp_unit": "ms"}),
        ("interactions", {"format": "sequences", "max_events_per_user_and_day": 9}),
        ("items", {"format": "sequences"}),
    ],
)
def test_keys_that_do_not_apply_to_sequences_are_refused(table, wrong):
    data: dict = {"interactions": {"path": "log"}, "items": {"path": "items"}}
    data[table] |= wrong
    with pytest.raises(ValidationError):
        Dataset.model_validate({"data": data})


def test_splits_equal_those_of_the_reference(shared_data, ingest_events, run_referee, tmp_path):
    source = shared_data / "amazon-beauty" / "Beauty.txt"
    # Every tenth user: the rule is each user's own.
    lines = source.read_text().splitlines(keepends=True)[::10]
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "log.txt.gz").write_bytes(gzip.compress("".join(lines).encode()))
    (folder / "log.txt").write_text("".join(lines))
    data = described().data
    data = data.model_copy(
        update={"interactions": data.interactions.model_copy(update={"path": "log.txt.gz"})}
    )
    ingested = ingest_events(described().model_copy(update={"data": data}), str(folder))
    referee = run_referee(folder / "log.txt", tmp_path / "referee", "sequences")
    for split in ("train", "valid", "test"):
        rows = map(json.loads, (referee / f"{split}.jsonl").read_text().splitlines())
        expected = sorted((row["user_id"], row["item_id"]) for row in rows)
        assert sorted((user, item) for user, item, _ in ingested.events(split)) == expected


def test_a_user_on_two_lines_is_refused_and_both_lines_are_named(lay, ingest_events):
    folder = lay({"a.txt": "u1 a b a\nu2 a b\nu1 a c\n", "b.txt": "u3 a b c\nu2 b\n"}, "logs")
    data = {"interactions": {"path": "*.txt", "format": "sequences"}, "items": {"path": "x"}}
    described = Dataset.model_validate({"data": data, "split": {"kind": "last_item"}})
    ingested = ingest_events(described, folder)
    table = ingested.counts.tables["interactions"]
    assert (table.read, table.accepted, table.rejected, table.duplicates) == (11, 8, 3, 0)
    assert ingested.letters("interactions") == [
        ("a.txt", 3, "repeated_user", f"u1 a {END - 1}"),
        ("a.txt", 3, "repeated_user", f"u1 c {END}"),
        ("b.txt", 2, "repeated_user", f"u2 b {END}"),
    ]
    with pytest.raises(DataRefused) as caught:
        acceptance.check(ingested.counts, described.data, str(ingested.root / "rejected"))
    message = str(caught.value)
    assert "repeated_user 3" in message or "received 3 of 11" in message
    first = f"line 3 of {folder}/a.txt", f"'u1' also has line 1 of {folder}/a.txt"
    second = f"line 2 of {folder}/b.txt", f"'u2' also has line 2 of {folder}/a.txt"
    assert all(part in message for part in first) or all(part in message for part in second)
