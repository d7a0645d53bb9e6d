"""Explanations of rejected values: column, value, accepted values and a suggestion."""

import dataclasses
import json

import pyarrow as pa
import pytest

from components.ingest.fields.table_fields import build_interaction_fields
from components.ingest.fields.table_spec import TableSpec
from components.ingest.fields.time_hints import suggest_time_fix
from components.ingest.fields.timestamps import TimeNotation
from components.ingest.output import counts
from components.ingest.read.records import format_excerpt, join_excerpts
from components.ingest.read_table import read_in_process
from schema.dataset import Dataset

T0 = 1_600_000_000
LOG = {
    "data": {"interactions": {"path": "log.csv"}, "items": {"path": "items.csv"}},
    "labels": {
        "positive": {"column": "stars", "at_least": 4},
        "ranking": {"stars": {"column": "stars", "kind": "regression"}},
    },
    "features": {"context": {"hour": {"kind": "number"}}},
}


@dataclasses.dataclass
class Read:
    """Result of parsing one log."""

    records: pa.Table
    counts: counts.TableCounts
    letters: list[dict]


@pytest.fixture
def read(tmp_path):
    """read(text, **keys of the source) -> Read, of a log with LOG's labels and features."""

    def run(text: str, *, withheld: bool = False, **keys) -> Read:
        (tmp_path / "log.csv").write_text(text)
        (tmp_path / "letters").mkdir(exist_ok=True)
        source = {"path": "log.csv", **keys}
        described = Dataset.model_validate({**LOG, "data": {**LOG["data"], "interactions": source}})
        own = build_interaction_fields(described)
        spec = TableSpec("interactions", described.data.interactions, own, 1, (), withheld)
        ingested = read_in_process(spec, [str(tmp_path / "log.csv")], str(tmp_path / "letters"))
        lines = [
            json.loads(line)
            for path in sorted((tmp_path / "letters").iterdir())
            for line in path.read_text().splitlines()
        ]
        result = counts.sum_tallies(ingested.tallies, ("interactions",), {}).tables["interactions"]
        return Read(ingested.records, result, lines)

    return run


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("2024-01-31 18:30:00", "s", 'timestamp_unit = "iso8601"'),
        ("2024-01-31T18:30:00Z", "ms", 'timestamp_unit = "iso8601"'),
        ("2024-01-31", "d", 'timestamp_unit = "iso8601"'),
        ("2024-02-30T18:30:00Z", "iso8601", "do this date and time exist"),
        ("31/01/2024 18:30", "s", 'timestamp_format = "%d/%m/%Y %H:%M"'),
        ("Wed, 31 Jan 2024 18:30:00 GMT", "iso8601", 'timestamp_format = "rfc2822"'),
        ("Wed Jan 31 18:30:00 +0000 2024", "s", 'timestamp_format = "%a %b %d %H:%M:%S %z %Y"'),
        ("20240131", "s", 'timestamp_unit = "iso8601"'),
        ("20240131183000", "ms", 'timestamp_format = "%Y%m%d%H%M%S"'),
        (T0 * 1000, "s", 'milliseconds: timestamp_unit = "ms"'),
        (T0, "ms", 'seconds: timestamp_unit = "s"'),
        (T0 * 10**6, "iso8601", 'microseconds: timestamp_unit = "us"'),
        (T0 * 10**9, "ms", 'nanoseconds: timestamp_unit = "ns"'),
        (18_518, "s", 'days: timestamp_unit = "d"'),
        (str(T0), "iso8601", 'seconds: timestamp_unit = "s"'),
        ("1.70671E+09", "s", "digits were lost"),
        (5, "s", 'timestamp_origin = "2020-01-01T00:00:00Z"'),
        ("soon", "s", ""), (None, "s", ""), ("", "ms", ""), (-5, "s", ""), ([1], "s", ""),
    ],
)  # fmt: skip
def test_unreadable_times_get_a_suggestion(value, unit, words):
    hint = suggest_time_fix(value, TimeNotation(unit))
    assert words in hint
    assert bool(words) == bool(hint)


def test_a_feature_names_its_own_keys():
    hint = suggest_time_fix("Wed, 31 Jan 2024 18:30:00 GMT", TimeNotation(), "")
    assert hint == 'looks like RFC 2822: format = "rfc2822"'


def test_a_rejected_time_names_column_value_and_accepted_times(read):
    ingested = read("user_id,item_id,when,stars,hour\nu,i,2024-02-30 18:30:00,4,1\nu,i,,4,1\n",
                timestamp="when", timestamp_unit="iso8601")  # fmt: skip
    assert [letter["detail"] for letter in ingested.letters] == [
        "column 'when' expects ISO 8601, as in 2024-01-31T18:30:00Z, from 1990 to 2099, "
        "received '2024-02-30 18:30:00'; do this date and time exist?",
        "column 'when' expects ISO 8601, as in 2024-01-31T18:30:00Z, from 1990 to 2099, "
        "received nothing",
    ]


def test_an_unreadable_optional_number_counts_as_missing(read):
    ingested = read(
        "user_id,item_id,timestamp,stars,hour\n"
        f'a,i,{T0},unknown,7\nb,i,{T0},5,"12,5"\nc,i,{T0},inf,\nd,i,soon,?,?\n'
    )
    assert ingested.records["user_id"].to_pylist() == ["a", "b", "c"]
    assert ingested.records["positive"].to_pylist() == [0, 1, 0]
    assert ingested.records["label_stars"].to_pylist() == [None, 5.0, None]
    assert ingested.records["context_hour"].to_pylist() == [7.0, None, None]
    assert ingested.counts.rejected_by_reason == {"bad_timestamp": 1}
    values = {key: result["values"] for key, result in ingested.counts.unreadable.items()}
    assert values == {
        "labels.positive.column": 2, "labels.ranking.stars.column": 2, "features.context.hour": 1,
    }  # fmt: skip
    assert ingested.counts.unreadable["features.context.hour"]["example"] == (
        "column 'hour' expects a finite number, up to 3.4e38, received '12,5'; set decimal = \",\""
    )


@pytest.mark.parametrize(
    ("value", "keys", "hint"),
    [
        ("1,234", {}, 'set decimal = "," or thousands = ","'),
        ("1,234.50", {}, 'set thousands = ","'),
        ("1.234,50 €", {}, 'set decimal = "," and thousands = "."'),
        ("12,5", {"thousands": ","}, 'set decimal = ","'),
        ("-", {}, "if there is no number, add this text to null_values"),
    ],
)
def test_the_key_that_reads_a_number_is_named(read, value, keys, hint):
    ingested = read(
        f'user_id,item_id,timestamp,stars,hour\na,i,{T0},5,"{value}"\na,j,{T0},5,1\n', **keys
    )
    assert hint in ingested.counts.unreadable["features.context.hour"]["example"]


def test_counts_of_unreadable_values_are_written_as_json(read):
    table = read(f"user_id,item_id,timestamp,stars,hour\na,i,{T0},unknown,7\n").counts
    assert table.unreadable
    event_counts = counts.Counts({"interactions": table}, {"users": 1})
    assert counts.parse(event_counts.to_json()) == event_counts


def test_a_header_among_the_records_is_rejected(read):
    header = "user_id,item_id,timestamp,stars,hour\n"
    ingested = read(f"{header}a,i,{T0},5,7\n{header}b,i,{T0},5,7\n")
    assert ingested.records["user_id"].to_pylist() == ["a", "b"]
    assert [(letter["line"], letter["reason"]) for letter in ingested.letters] == [
        (3, "header_line")
    ]


def test_the_detail_has_no_value_if_ids_are_hashed(read):
    ingested = read("user_id,item_id,timestamp,stars,hour\nu,i,person-1,4,1\n", withheld=True)
    assert "person-1" not in json.dumps(ingested.letters)
    assert "'timestamp' expects seconds" in ingested.letters[0]["detail"]


def test_values_are_truncated_in_messages():
    assert format_excerpt("a") == "'a'"
    assert format_excerpt("a" * 61) == "'" + "a" * 60 + "'…"
    assert len(format_excerpt({"a": "b" * 10_000})) == 61
    assert join_excerpts(map(str, range(14))).endswith("'11' and 2 more")
