"""What `tandem init` drafts for each made sample is loaded, and reads the planted records."""

import pathlib

import pytest

from components.ingest import items
from components.ingest.events.event_tables import build_events_spec
from components.ingest.fields.table_spec import TableSpec
from components.ingest.output import counts
from components.ingest.output.counts import TableCounts
from components.ingest.read.files import find_files
from components.ingest.read_table import read_in_process
from pipeline.commands.init import write_first_config
from pipeline.config.config import load_config
from tests.pipeline.recipes.files import NAMES, load_sample, write_files

FIRST_TABLE = {"yoochoose": 16, "lightgcn": 40}
"""Events in the first table of a log, where that is not all of them."""


def read(spec: TableSpec, paths: list[str], letters: pathlib.Path) -> TableCounts:
    letters.mkdir()
    done = read_in_process(spec, paths, str(letters))
    return counts.sum_tallies(done.tallies, (spec.name,), {}).tables[spec.name]


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_reads_the_published_layout(name, tmp_path):
    sample, data = load_sample(name), tmp_path / name
    write_files(sample, data)
    done = write_first_config(data, tmp_path / "drafted.toml")
    assert done.missing == ""
    assert name in done.recipes
    dataset = load_config(done.path).dataset
    spec, paths = (
        build_events_spec(dataset, 0, 1),
        list(find_files(str(data), dataset.data.interactions)),
    )
    logged = read(spec, paths, tmp_path / "events")
    others = [each.get("interactions", 0) for each in (sample.duplicates, sample.unused)]
    planted = FIRST_TABLE.get(name, sample.events + sum(others))
    assert logged.read - logged.rejected == planted
    assert logged.rejected_by_reason == sample.rejected.get("interactions", {})
    for number, (spec, paths) in enumerate(items.build_specs(dataset, str(data))):
        catalogue = read(spec, paths, tmp_path / f"items-{number}")
        assert catalogue.rejected_by_reason == sample.rejected.get("items", {})
        assert catalogue.read > catalogue.rejected
