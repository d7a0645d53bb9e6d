"""The component itself: artifact and properties."""

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples

from components.ingest.output import counts
from components.items_gen import ItemsGen
from schema.dataset import Dataset
from schema.errors import DataRefused


def run(tmp_path, text: str) -> Examples:
    (tmp_path / "items.csv").write_text(text)
    source = {"interactions": {"path": "log.csv"}, "items": {"path": "items.csv"}}
    examples = Examples()
    examples.uri = str(tmp_path / "examples")
    arguments = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
    ItemsGen.test_call(
        examples=examples,
        dataset=Dataset.model_validate({"data": source}).model_dump_json(),
        data_dir=str(tmp_path),
        span="",
        rejected_dir=str(tmp_path / "rejected"),
        fingerprint="of the files",
        pipeline=beam.Pipeline(options=PipelineOptions(arguments)),
    )
    return examples


def test_publishes_split_and_counts(tmp_path):
    examples = run(tmp_path, "item_id\na\nb\na\n")
    assert artifact_utils.decode_split_names(examples.split_names) == ["all"]
    counted = counts.parse(examples.get_string_custom_property("counts"))
    assert counted.totals == {"items": 2}
    assert counted.tables["items"].duplicates == 1


def test_refuses_an_empty_catalogue(tmp_path):
    with pytest.raises(DataRefused, match=r"data\.items\.path"):
        run(tmp_path, "item_id\n")
