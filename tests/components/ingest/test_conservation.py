"""read = accepted + rejected for any bytes; with duplicates through the whole pipeline."""

import io
import json
import random
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components.ingest.fields.parser import parse_lines
from components.ingest.fields.table_fields import build_interaction_fields
from components.ingest.fields.table_spec import LINE, TableSpec
from components.ingest.output import acceptance
from components.ingest.read.blocks import build_splitter, split_blocks
from components.ingest.read.lines import decode_block
from components.ingest.read.objects.object_texts import decode_objects
from components.ingest.read.pairs.sequences import expand_sequences
from components.ingest.read.text_stream import convert_text
from schema.dataset import Dataset

T0 = 1_600_000_000

cells = st.one_of(
    st.sampled_from(["u1", "u2", "i1", "", " ", str(T0), str(T0 + 1), "4.5", "nan", "1e999", '"']),
    st.sampled_from(['"a,b"', '"a""b"', '"open', "\ufeff", "a" * 1030, "-1", "1_0", "\u0661"]),
    st.text(max_size=6),
)
csv_lines = st.lists(st.lists(cells, max_size=6).map(",".join), max_size=12).map("\n".join)
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.sampled_from([T0, str(T0), 10**400, "u1", "\ud800"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)  # fmt: skip
names = ("user_id", "item_id", "timestamp", "rating", "device", "cost", "seen")
json_lines = st.lists(
    st.one_of(
        st.dictionaries(st.sampled_from(names), json_values).map(json.dumps),
        json_values.map(json.dumps),
        st.text(max_size=10),
    ),
    max_size=12,
).map("\n".join)


sequence_lines = st.lists(
    st.lists(
        st.sampled_from(["u1", "i1", "i2", '"', "a" * 1030, "\0", "\ufeff"]) | st.text(max_size=4),
        max_size=5,
    ).map(" ".join),
    max_size=8,
).map("\n".join)


def described(format_: str, unit: str = "s", encoding: str = "utf-8") -> Dataset:
    source: dict = {"path": "x", "format": format_, "timestamp_unit": unit, "encoding": encoding}
    if format_ == "csv":
        source["columns"] = list(names[:5])
    context = {"device": {"kind": "category"}}
    if format_ != "csv":
        context |= {"cost": {"kind": "number"}, "seen": {"kind": "timestamp"}}
    return Dataset.model_validate(
        {
            "data": {"interactions": source, "items": {"path": "y"}},
            "labels": {
                "positive": {"column": "rating", "at_least": 1},
                "ranking": {"rating": {"column": "rating", "kind": "regression"}},
            },
            "features": {"context": context},
        }
    )


def outcome(dataset: Dataset, data: bytes, block_bytes: int) -> tuple[list, list]:
    """Accepted (line, user, item, time) and rejected (line, reason) of one file, block by block."""
    source = dataset.data.interactions
    spec = TableSpec("interactions", source, build_interaction_fields(dataset), 1, (LINE,))
    accepted, rejected = [], []
    text = convert_text(io.BytesIO(data), "utf-8")
    for block in split_blocks("x", text, block_bytes, build_splitter(source)):
        decode = decode_objects if source.format == "json" else decode_block
        result = decode(block, source.encoding)
        parsed = parse_lines(result, source.columns or [], spec)
        assert result.read == parsed.accepted.num_rows + len(parsed.rejected)
        columns = parsed.accepted.select(["line", "user_id", "item_id", "moment"])
        accepted += sorted(tuple(row.values()) for row in columns.to_pylist())
        rejected += sorted((letter.line, letter.reason) for letter in parsed.rejected)
        json.dumps([letter._asdict() for letter in parsed.rejected]).encode()
    return accepted, rejected


def records(data: bytes) -> int:
    """Lines that are not empty, which must all be counted."""
    unmarked = data.removeprefix(b"\xef\xbb\xbf")
    return sum(map(bool, re.split(rb"[\r\n]", unmarked)))


def check(dataset: Dataset, data: bytes, block_bytes: int) -> None:
    accepted, rejected = outcome(dataset, data, 1 << 20)
    assert len(accepted) + len(rejected) == records(data)
    # The block size changes neither the accepted records nor the reasons for rejections.
    assert outcome(dataset, data, block_bytes) == (accepted, rejected)


sizes = st.integers(1, 40)


@settings(max_examples=300)
@given(
    st.one_of(csv_lines.map(str.encode), st.binary(max_size=80)),
    sizes,
    st.sampled_from(["s", "iso8601"]),
)
@example(b"\xef\xbb\xbfu,i,1600000000,,\r\n\r\n", 3, "s")
@example(b"u,i,2020-02-30T00:00:00Z,,\nu,i,2020-02-29T00:00:00Z,,", 3, "iso8601")
@example(b"u\x00,i,1600000000,,", 3, "s")
def test_delimited_text_is_conserved(data, block_bytes, unit):
    check(described("csv", unit), data, block_bytes)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(json_lines.map(lambda text: text.encode(errors="replace")), st.binary(max_size=80)),
    sizes,
)
@example(b"[" * 100_000, 40)
@example(b'{"user_id": "\\ud800", "item_id": 1, "timestamp": 1600000000}', 40)
@example(
    b'{"user_id": 1, "item_id": 1, "timestamp": 1600000000, "rating": NaN}\n{"rating": "x"}', 40
)
@example(b'{"user_id": 1, "item_id": 1, "timestamp": 1600000000, "seen": 1e300}', 40)
def test_json_lines_are_conserved(data, block_bytes):
    check(described("jsonl"), data, block_bytes)


python_lines = st.lists(
    st.one_of(st.dictionaries(st.sampled_from(names), json_values).map(repr), st.text(max_size=10)),
    max_size=8,
).map("\n".join)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(python_lines.map(lambda text: text.encode(errors="replace")), st.binary(max_size=80)),
    sizes,
)
def test_python_lines_are_conserved(data, block_bytes):
    check(described("python"), data, block_bytes)


json_texts = st.lists(
    st.one_of(
        st.dictionaries(st.sampled_from(names), json_values).map(json.dumps),
        st.dictionaries(st.sampled_from(names), json_values).map(lambda v: json.dumps(v, indent=1)),
        json_values.map(json.dumps),
        st.text(alphabet='{}[]"\\, \na1', max_size=12),
    ),
    max_size=8,
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.builds(lambda sep, texts: sep.join(texts).encode(), st.sampled_from([",", "\n"]), json_texts)
    | st.binary(max_size=80),
    sizes,
)
@example(b'[{"user_id": "a"}, {"user_id": "b"\n, {"user_id": "c"}]', 5)
def test_objects_are_the_same_wherever_blocks_end(data, block_bytes):
    dataset = described("json")
    parts, whole = outcome(dataset, data, block_bytes), outcome(dataset, data, 1 << 20)
    assert list(map(sorted, parts)) == list(map(sorted, whole))  # a line can have several


@given(st.lists(st.dictionaries(st.sampled_from(names), json_values), max_size=6), sizes)
def test_every_object_of_an_array_is_read(objects, block_bytes):
    data = json.dumps(objects, indent=2).encode()
    accepted, rejected = outcome(described("json"), data, block_bytes)
    assert len(accepted) + len(rejected) == len(objects)


@given(
    st.one_of(
        sequence_lines.map(lambda text: text.encode(errors="replace")), st.binary(max_size=80)
    ),
    sizes,
)
def test_sequences_are_conserved(data, block_bytes):
    source = {"path": "x", "format": "sequences"}
    dataset = Dataset.model_validate(
        {"data": {"interactions": source}, "split": {"kind": "last_item"}}
    )
    spec = TableSpec(
        "interactions", dataset.data.interactions, build_interaction_fields(dataset), 1
    )
    read = expected = 0
    for block in split_blocks("x", convert_text(io.BytesIO(data), "utf-8"), block_bytes):
        decoded = decode_block(block, "utf-8")
        expected += len(decoded.rejected)
        expected += sum(max(1, len(text.split()) - 1) for text in decoded.texts)
        expanded = expand_sequences(decoded)
        parsed = parse_lines(expanded, [], spec)
        assert expanded.read == parsed.accepted.num_rows + len(parsed.rejected)
        read += expanded.read
    assert read == expected


@given(st.binary(max_size=80), sizes)
def test_every_byte_is_valid_latin_1(data, block_bytes):
    _, rejected = outcome(described("csv", encoding="latin-1"), data, block_bytes)
    assert "invalid_encoding" not in {reason for _, reason in rejected}


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.sampled_from(
            [f"u{n % 3},i,{T0 + n % 4},1," for n in range(12)] + ["bad", "", "u,i,x,,"]
        ),
        max_size=30,
    )
)
def test_no_record_is_lost(rows, ingest_events, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "x").write_text("\n".join(rows))
    table = ingest_events(described("csv"), str(folder)).counts.tables["interactions"]
    good = [row for row in rows if row.startswith("u") and row != "u,i,x,,"]
    assert table.read == sum(map(bool, rows))
    assert table.accepted == len(set(good))
    assert table.duplicates == len(good) - len(set(good))
    assert table.rejected == table.read - len(good)


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    log=st.one_of(csv_lines.map(str.encode), st.binary(max_size=200)),
    people=st.binary(max_size=60),
    unpacked=st.booleans(),
)
@example(
    log=b"u1,i1,1600000000,4,\nu1,i2,1600000001,4,\nu1,i1,1600000002,4,",
    people=b"u1,9",
    unpacked=True,
)
def test_arbitrary_bytes_pass_through_every_rule(
    log, people, unpacked, ingest_events, tmp_path_factory
):
    """Rules that reject late, a user table, and possibly invalid gzip files; without quoting, a
    line is a record.
    """
    folder = tmp_path_factory.mktemp("data")
    (folder / ("x" if unpacked else "x.gz")).write_bytes(log)
    (folder / "people").write_bytes(people)
    (folder / "y").write_text("item_id\ni1\n")
    source = {
        "path": "x*", "columns": list(names[:5]), "unknown_item": "reject",
        "max_events_per_user_and_day": 1, "quote": "",
    }  # fmt: skip
    users = {"path": "people", "columns": ["user_id", "age"], "quote": ""}
    dataset = Dataset.model_validate(
        {
            "data": {"interactions": source, "items": {"path": "y"}, "users": users},
            "features": {"users": {"age": {"kind": "number"}}},
        }
    )
    ingested = ingest_events(dataset, str(folder), folder.name)
    for name, data in (("interactions", log if unpacked else None), ("users", people)):
        table = ingested.counts.tables[name]
        assert table.read == table.accepted + table.rejected + table.duplicates
        assert len(ingested.letters(name)) == table.rejected
        if data is not None:
            assert table.read == records(data)


@pytest.mark.parametrize("mode", ["in_memory", "multi_threading"])
def test_every_runner_mode_conserves_and_agrees(mode, ingest_events, lay):
    chance = random.Random(11)
    planted = [f"u{n % 50},i{n % 7},{T0 + n},{n % 5},phone" for n in range(2000)]
    repeated = [planted[n] for n in range(0, 2000, 10)]
    broken = [f"u{n},i1,soon,1,phone" for n in range(100)]
    unknown = [f"u{n},gone,{T0 + n},1,phone" for n in range(30)]
    rows = chance.sample(planted + repeated + broken + unknown, 2330)
    parts = {f"x-{n}": "\n".join(rows[n::25]) for n in range(20)}
    packed = {f"x-{n}.gz": "\n".join(rows[n::25]) for n in range(20, 25)}
    folder = lay({**parts, **packed, "y": "item_id\n" + "".join(f"i{n}\n" for n in range(7))})
    data = described("csv").data
    source = data.interactions.model_copy(update={"path": "x-*", "unknown_item": "reject"})
    dataset = described("csv").model_copy(
        update={"data": data.model_copy(update={"interactions": source})}
    )
    ingested = ingest_events(dataset, folder, mode=mode, workers=3)
    table = ingested.counts.tables["interactions"]
    assert (table.read, table.accepted, table.duplicates) == (2330, 2000, 200)
    assert table.rejected_by_reason == {"bad_timestamp": 100, "unknown_item": 30}
    # The cuts of 2,000 events, one per second: the events at index 1,600 and 1,800.
    assert [ingested.counts.totals[split] for split in ("train", "valid", "test")] == [
        1600,
        200,
        200,
    ]
    events = [event for split in ("train", "valid", "test") for event in ingested.events(split)]
    assert sorted(events) == sorted((f"u{n % 50}", f"i{n % 7}", T0 + n) for n in range(2000))
    assert len(ingested.letters("interactions")) == 130
    acceptance.check(
        ingested.counts, data.model_copy(update={"max_rejected_fraction": 0.06}), "rejected"
    )
