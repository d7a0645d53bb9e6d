"""Writes the files of made samples."""

import gzip
import importlib
import pathlib

from tests.pipeline.recipes.sample import Sample

SAMPLES = pathlib.Path(__file__).parent / "samples"
NAMES = sorted(path.stem.replace("_", "-") for path in SAMPLES.glob("[a-z]*.py"))


def load_sample(name: str) -> Sample:
    return importlib.import_module(
        f"tests.pipeline.recipes.samples.{name.replace('-', '_')}"
    ).SAMPLE


def write_files(sample: Sample, folder: pathlib.Path) -> None:
    for name, content in sample.files.items():
        raw = content.encode() if isinstance(content, str) else content
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
