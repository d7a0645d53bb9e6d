"""A user with a million events, all of them of one item: windows, and memory within bounds."""

import json
import subprocess
import sys

import pytest

T0 = 1_500_000_000
EVENTS = 1_000_000
GROWTH_MB = 600
"""Memory allowed in addition to the libraries'; the rest grows only with the size of a shard."""

RUN = """
import json, resource, sys
import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from components.ingest import interactions
from components.ingest.output import counts
from schema.dataset import Dataset

folder = sys.argv[1]
source = {"path": "log.csv", "columns": ["user_id", "item_id", "timestamp"]}
dataset = Dataset.model_validate({"data": {"interactions": source, "items": {"path": "items.csv"}}})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
options = PipelineOptions(["--runner=FnApiRunner", "--direct_running_mode=in_memory"])
with beam.Pipeline(options=options) as pipeline:
    interactions.build(
        pipeline, dataset, folder, f"{folder}/examples", f"{folder}/histories", f"{folder}/rejected"
    )
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = counts.load(f"{folder}/examples")
print(json.dumps({"growth_mb": (after - before) / 1024, "counts": json.loads(found.to_json())}))
"""


@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    with (folder / "log.csv").open("w") as log:
        log.writelines(f"robot,x,{T0 + n}\n" for n in range(EVENTS))
        log.writelines(f"u{n},x,{T0 + n * 1000}\n" for n in range(1000))
    completed = subprocess.run(
        [sys.executable, "-c", RUN, str(folder)], check=True, capture_output=True, text=True
    )
    return folder, json.loads(completed.stdout.splitlines()[-1])


def test_memory_is_bounded_and_no_event_is_lost(ingested):
    _, result = ingested
    table = result["counts"]["tables"]["interactions"]
    assert (table["read"], table["accepted"]) == (EVENTS + 1000, EVENTS + 1000)
    assert result["growth_mb"] < GROWTH_MB


def test_no_timeline_is_longer_than_window_and_carry(ingested):
    import tensorflow as tf

    folder, result = ingested
    files = [str(path) for path in (folder / "examples" / "Split-train").iterdir()]
    own = robot_windows = 0
    for record in tf.data.TFRecordDataset(files, "GZIP"):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        length = len(features["item_ids"].bytes_list.value)
        target = features["target_from"].int64_list.value[0]
        assert length <= 1024 + 1024
        assert length - target <= 1024
        own += length - target
        robot_windows += features["user_id"].bytes_list.value[0] == b"robot"
    assert own == result["counts"]["train"]
    # Time is even: four fifths of the robot's events are train, in windows of 1024.
    assert robot_windows == -(-800_000 // 1024)
