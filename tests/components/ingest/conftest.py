"""A small log run through the real pipeline, and its Examples read back with TensorFlow."""

import dataclasses
import gzip
import json
import pathlib
import subprocess
import sys
from typing import Any

import apache_beam as beam
import pytest
import tensorflow as tf
from apache_beam.options.pipeline_options import PipelineOptions

from components.ingest import interactions, items
from components.ingest.output import counts
from components.ingest.output.counts import Counts
from schema.dataset import Dataset


@dataclasses.dataclass
class Ingested:
    """The outputs of one run."""

    root: pathlib.Path
    counts: Counts

    @property
    def histories(self) -> str:
        return str(self.root / "histories")

    def examples(self, split: str) -> list[dict]:
        """Examples of a split as {feature: list}, in order of files and records."""
        files = sorted((self.root / "examples" / f"Split-{split}").iterdir())
        assert files, f"split {split} has no file"
        return [
            read_example(record.numpy())
            for record in tf.data.TFRecordDataset([str(f) for f in files], "GZIP")
        ]

    def events(self, split: str) -> list[tuple[str, str, int]]:
        """Sorted (user, item, time) of the events that belong to a split."""
        return sorted(
            (example["user_id"][0], item, moment)
            for example in self.examples(split)
            for item, moment in list(zip(example["item_ids"], example["timestamps"], strict=True))[
                example["target_from"][0] :
            ]
        )

    def letters(self, table: str) -> list[tuple[str, int, str, str]]:
        """(file name, line, reason, raw) of the dead letters, sorted."""
        result = []
        for path in (self.root / "rejected" / table).iterdir():
            for line in path.read_text(encoding="utf-8").splitlines():
                letter = json.loads(line)
                file = pathlib.Path(letter["file"]).name
                result.append((file, letter["line"], letter["reason"], letter["raw"]))
        return sorted(result)


def read_example(record: bytes) -> dict:
    """Lists by feature; bytes as text."""
    result = {}
    for name, feature in tf.train.Example.FromString(record).features.feature.items():
        kind = feature.WhichOneof("kind")
        values = list(getattr(feature, kind).value) if kind else []
        result[name] = [v.decode() for v in values] if kind == "bytes_list" else values
    return result


def _pipeline(mode: str = "in_memory", workers: int = 1) -> beam.Pipeline:
    arguments = [f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]
    return beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *arguments]))


@pytest.fixture
def lay(tmp_path):
    """lay({name: text or bytes}) -> a folder with these files; `.gz` files are compressed."""

    def write(files: dict[str, str | bytes], folder: str = "data") -> str:
        at = tmp_path / folder
        at.mkdir()
        for name, content in files.items():
            raw = content.encode() if isinstance(content, str) else content
            (at / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return str(at)

    return write


@pytest.fixture
def ingest_events(tmp_path):
    """ingest_events(dataset, data_dir) -> Ingested, of events and users; `engine` are Beam's mode
    and number of workers.
    """

    def run(dataset: Dataset, data_dir: str, name: str = "run", **engine: Any) -> Ingested:
        root = tmp_path / name
        with _pipeline(**engine) as pipeline:
            interactions.build(
                pipeline,
                dataset,
                data_dir,
                str(root / "examples"),
                str(root / "histories"),
                str(root / "rejected"),
            )
        return Ingested(root, counts.load(str(root / "examples")))

    return run


@pytest.fixture
def ingest_items(tmp_path):
    """ingest_items(dataset, data_dir) -> Ingested, of the catalogue."""

    def run(
        dataset: Dataset, data_dir: str, name: str = "run", test_cut: int | None = None
    ) -> Ingested:
        root = tmp_path / name
        places = (data_dir, str(root / "examples"), str(root / "rejected"))
        with _pipeline() as pipeline:
            items.build(pipeline, dataset, *places, test_cut)
        return Ingested(root, counts.load(str(root / "examples")))

    return run


@pytest.fixture
def run_referee(shared_data):
    """run_referee(source, out) -> the folder of the reference split of a public data set."""
    script = shared_data.parent / "referee" / "score.py"
    if not script.is_file():
        pytest.skip(f"needs the referee, no file {script}")

    def split(
        source: pathlib.Path, out: pathlib.Path, data: str = "movietweetings"
    ) -> pathlib.Path:
        arguments = ["split", "--data", data, "--source", source, "--out", out]
        subprocess.run([sys.executable, script, *arguments], check=True, capture_output=True)
        return out

    return split
