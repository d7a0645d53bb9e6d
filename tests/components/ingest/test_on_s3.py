"""Ingestion from and to an object store."""

import gzip
import io
import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from components.ingest import interactions, items, preflight
from components.ingest.fingerprint import compute_input_fingerprint
from components.ingest.output import counts, histories
from schema.dataset import Dataset
from schema.errors import ConfigError
from schema.storage import object_store

DATASET = Dataset.model_validate(
    {
        "data": {
            "interactions": {"path": "logs/{SPAN}/*.csv.gz", "span": "1..2"},
            "items": {"path": "items.parquet", "format": "parquet", "title": "title"},
            "max_rejected_fraction": 0.5,
        },
        "features": {"items": {"title": {"kind": "text"}}},
        "labels": {"positive": {"column": "rating", "at_least": 1}},
    }
)
HEADER = "user_id,item_id,timestamp,rating\n"
DAYS = {
    "1": f"{HEADER}ann,i1,1700000100,5\nbob,i2,1700000110,5\nann,i2,no time,5\n",
    "2": f"{HEADER}ann,i3,1700000200,5\nbob,i1,1700000210,5\n",
    "3": f"{HEADER}ann,i4,1700000300,5\n",
}


def put(uri: str, content: bytes, tmp_path) -> None:
    (tmp_path / "put").write_bytes(content)
    object_store.upload_file(tmp_path / "put", uri)


@pytest.fixture
def logs(bucket, tmp_path):
    for day, text in DAYS.items():
        put(f"{bucket}/data/logs/{day}/events.csv.gz", gzip.compress(text.encode()), tmp_path)
    table = pa.table({"item_id": ["i1", "i2", "i3"], "title": ["one", "two", "three"]})
    packed = io.BytesIO()
    pq.write_table(table, packed)
    put(f"{bucket}/data/items.parquet", packed.getvalue(), tmp_path)
    return f"{bucket}/data"


def pipeline() -> beam.Pipeline:
    arguments = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
    return beam.Pipeline(options=PipelineOptions(arguments))


def test_events_on_s3_become_histories_and_examples_on_s3(logs, bucket):
    places = [f"{bucket}/run/{name}" for name in ("examples", "histories", "rejected")]
    with pipeline() as running:
        interactions.build(running, DATASET, logs, *places)
    table = counts.load(places[0]).tables["interactions"]
    assert (table.read, table.accepted, table.rejected) == (5, 4, 1)
    ann = histories.look_up(places[1], "ann")
    assert ann is not None
    assert (ann.item_ids, ann.timestamps) == (["i1", "i3"], [1700000100, 1700000200])
    assert histories.look_up(places[1], "nobody") is None
    names = object_store.list_files(places[0])
    assert {"Split-train", "Split-valid", "Split-test"} <= {name.split("/")[0] for name in names}
    (letters,) = object_store.list_files(f"{places[2]}/interactions")
    letter = json.loads(object_store.read(f"{places[2]}/interactions/{letters}"))
    assert (letter["file"], letter["line"]) == (f"{logs}/logs/1/events.csv.gz", 4)


def test_dead_letters_of_an_earlier_run_are_removed(logs, bucket, tmp_path):
    rejected = f"{bucket}/run/rejected"
    put(f"{rejected}/items/part-of-yesterday.jsonl", b"{}", tmp_path)
    with pipeline() as running:
        items.build(running, DATASET, logs, f"{bucket}/run/items", rejected)
    assert object_store.list_files(f"{rejected}/items") == []
    assert counts.load(f"{bucket}/run/items").totals["items"] == 3


def test_missing_files_are_reported_before_the_run(logs):
    preflight.check(DATASET, logs)
    other = DATASET.model_dump()
    other["data"]["items"]["title"] = "name"
    with pytest.raises(ConfigError, match=r"items\.parquet: .* expects column 'name'"):
        preflight.check(Dataset.model_validate(other), logs)
    with pytest.raises(ConfigError, match="found nothing at s3://"):
        preflight.check(DATASET, f"{logs}/elsewhere")


def test_changed_content_changes_the_fingerprint(logs, tmp_path):
    before = compute_input_fingerprint(DATASET, logs)
    assert compute_input_fingerprint(DATASET, logs) == before
    put(f"{logs}/logs/3/events.csv.gz", gzip.compress(b"not among the spans"), tmp_path)
    assert compute_input_fingerprint(DATASET, logs) == before
    put(f"{logs}/logs/2/events.csv.gz", gzip.compress(DAYS["3"].encode()), tmp_path)
    assert compute_input_fingerprint(DATASET, logs) != before
