"""Each recipe reads a made sample of its data set's published layout; all counts are planted."""

import pathlib
from typing import Any

import pytest
import tensorflow as tf

from components.ingest import interactions, items, preflight
from components.ingest.output import acceptance, counts
from components.ingest.output.counts import Counts
from pipeline.commands.recipes import FOLDER, list_recipes
from pipeline.config.config import load_config
from schema import timeline
from schema.dataset import Dataset
from tests.components.conftest import beam_pipeline
from tests.components.ingest.conftest import read_example
from tests.pipeline.recipes.files import NAMES, load_sample, write_files

ANY = "data.max_rejected_fraction=1"  # one bad record is many in a hundred of a small sample


def read_examples(folder: pathlib.Path, splits: tuple[str, ...]) -> list[dict]:
    files = [str(path) for split in splits for path in (folder / f"Split-{split}").iterdir()]
    return [read_example(record.numpy()) for record in tf.data.TFRecordDataset(files, "GZIP")]


def ingest_events(dataset: Dataset, data: str, root: pathlib.Path) -> Counts:
    events, histories, rejected = (str(root / name) for name in ("events", "histories", "rejected"))
    with beam_pipeline() as pipeline:
        interactions.build(pipeline, dataset, data, events, histories, rejected)
    counted = counts.load(events)
    acceptance.check(counted, dataset.data, rejected)
    return counted


def ingest_items(dataset: Dataset, data: str, root: pathlib.Path, test_cut: int | None) -> Counts:
    examples, rejected = str(root / "items"), str(root / "rejected")
    if dataset.data.items is None:
        items.write_logged_items(str(root / "histories"), examples)
    else:
        with beam_pipeline() as pipeline:
            items.build(pipeline, dataset, data, examples, rejected, test_cut)
    counted = counts.load(examples)
    acceptance.check(counted, dataset.data, rejected)
    return counted


def list_events(examples: list[dict]) -> list[tuple[str, str, int]]:
    return [
        (example["user_id"][0], item, at)
        for example in examples
        for item, at in list(zip(example["item_ids"], example["timestamps"], strict=True))[
            example["target_from"][0] :
        ]
    ]


def collect_labels(examples: list[dict], name: str) -> list[float]:
    return sorted(
        round(value, 2)
        for example in examples
        for value in example[name][example["target_from"][0] :]
        if value == value  # a missing label is NaN
    )


def round_values(example: dict[str, list]) -> dict[str, list[Any]]:
    return {
        name: [round(value, 2) if isinstance(value, float) else value for value in values]
        for name, values in example.items()
    }


def select_nonzero(counted: list[Counts], what: str) -> dict[str, Any]:
    tables = [pair for each in counted for pair in each.tables.items()]
    return {name: getattr(table, what) for name, table in tables if getattr(table, what)}


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_reads_the_published_layout(name, tmp_path):
    sample, dataset = load_sample(name), load_config(FOLDER / f"{name}.toml", [ANY]).dataset
    data = tmp_path / "data"
    write_files(sample, data)
    preflight.check(dataset, str(data))
    logged = ingest_events(dataset, str(data), tmp_path)
    catalogue = ingest_items(dataset, str(data), tmp_path, logged.totals.get("t_test"))
    both = [logged, catalogue]
    accepted = sum(n.accepted for name, n in logged.tables.items() if name.startswith("inter"))
    assert (accepted, catalogue.totals["items"], logged.totals["users"]) == (
        sample.events,
        sample.items,
        sample.users,
    )
    assert select_nonzero(both, "rejected_by_reason") == sample.rejected
    assert select_nonzero(both, "duplicates") == sample.duplicates
    assert select_nonzero(both, "unused") == sample.unused
    examples = read_examples(tmp_path / "events", timeline.SPLITS)
    assert sample.event in list_events(examples)
    own = next(each for each in examples if each["user_id"] == [sample.event[0]])
    assert {key: round_values(own)[key] for key in sample.user} == sample.user
    assert {key: collect_labels(examples, key) for key in sample.labels} == sample.labels
    rows = map(round_values, read_examples(tmp_path / "items", (timeline.CATALOGUE_SPLIT,)))
    by_id = {row["item_id"][0]: row for row in rows}
    assert by_id[sample.item["item_id"][0]] == sample.item


def test_the_page_lists_every_recipe_with_its_title():
    page = (FOLDER.parents[1] / "docs" / "DATA.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    for recipe in list_recipes():
        assert f"| `{recipe.name}` | {recipe.title} |" in rows


def test_every_recipe_has_a_sample_a_source_and_terms():
    recipes = list_recipes()
    assert [recipe.name for recipe in recipes] == NAMES
    assert all(recipe.data and recipe.terms for recipe in recipes)
    assert [load_config(recipe.path).name for recipe in recipes] == NAMES
