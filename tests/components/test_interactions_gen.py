"""The component itself: artifacts, properties, and Examples read by TFX."""

import json

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from tfx.components.util import examples_utils
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples
from tfx_bsl.public import tfxio

from components.artifacts.types import Histories
from components.ingest.output import counts, histories
from components.interactions_gen import InteractionsGen
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused

T0 = 1_600_000_000


def run(tmp_path, text: str, path: str = "log.csv", span: str = "") -> tuple[Examples, Histories]:
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\n" + text)
    source = {"interactions": {"path": path}, "items": {"path": "items.csv"}}
    examples, written = Examples(), Histories()
    examples.uri, written.uri = str(tmp_path / "examples"), str(tmp_path / "histories")
    arguments = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
    InteractionsGen.test_call(
        examples=examples,
        histories=written,
        dataset=Dataset.model_validate({"data": source}).model_dump_json(),
        data_dir=str(tmp_path),
        span=span,
        rejected_dir=str(tmp_path / "rejected"),
        fingerprint="of the files",
        pipeline=beam.Pipeline(options=PipelineOptions(arguments)),
    )
    return examples, written


def test_writes_examples_that_tfx_reads(tmp_path):
    text = "".join(f"u{n % 2},i{n},{T0 + n}\n" for n in range(10))
    examples, written = run(tmp_path, text)
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "valid", "test"]
    assert examples_utils.get_payload_format_string(examples) == "FORMAT_TF_EXAMPLE"
    counted = counts.parse(examples.get_string_custom_property("counts"))
    assert counted.totals["train"] == 8
    assert counted.totals["users"] == 2
    [pattern] = [f"{artifact_utils.get_split_uri([examples], 'train')}/*"]
    source = tfxio.TFExampleRecord(file_pattern=pattern)
    with beam.Pipeline(
        options=PipelineOptions(["--runner=FnApiRunner", "--direct_running_mode=in_memory"])
    ) as p:
        _ = (
            p
            | source.BeamSource()
            | beam.FlatMap(lambda batch: batch.to_pylist())
            | beam.Map(lambda row: json.dumps([row["user_id"][0].decode(), len(row["item_ids"])]))
            | beam.combiners.ToList()
            | beam.Map(sorted)
            | beam.Map(json.dumps)
            | beam.io.WriteToText(str(tmp_path / "rows"), shard_name_template="")
        )
    assert [json.loads(row) for row in json.loads((tmp_path / "rows").read_text())] == [
        ["u0", 4],
        ["u1", 4],
    ]
    history = histories.look_up(written.uri, "u1")
    assert history is not None
    assert history.item_ids == ["i1", "i3", "i5", "i7", "i9"]


def test_refuses_what_breaks_the_limit(tmp_path):
    with pytest.raises(DataRefused, match="wrong_field_count 10"):
        run(tmp_path, "only one field\n" * 10)


def test_reads_the_span_of_the_run(tmp_path):
    for span, rows in (("1", 12), ("2", 10)):
        text = "".join(f"u,i{n},{T0 + n}\n" for n in range(rows))
        (tmp_path / f"{span}.csv").write_text("user_id,item_id,timestamp\n" + text)
    examples, _ = run(tmp_path, "", path="{SPAN}.csv", span="2")
    counted = counts.parse(examples.get_string_custom_property("counts"))
    assert counted.tables["interactions"].read == 10


def test_a_missing_span_is_refused(tmp_path):
    (tmp_path / "1.csv").write_text(f"user_id,item_id,timestamp\nu,i,{T0}\n")
    with pytest.raises(ConfigError, match=r"files at .*\{SPAN\}\.csv for span 2, found none"):
        run(tmp_path, "", path="{SPAN}.csv", span="2")
