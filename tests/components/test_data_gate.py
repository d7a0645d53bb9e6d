"""The data gate's components in the order of the DAG, on planted data."""

import json
import pathlib
from typing import NamedTuple

import pytest
from tfx.components.example_validator.executor import Executor
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, ExampleStatistics, Schema

from components.artifacts.types import Verdict
from components.data_gate import DataGate
from components.schema_gen import SchemaGen
from components.statistics_gen import StatisticsGen
from schema.errors import DataRefused
from tests.components.conftest import beam_pipeline, lay_examples

SCHEMAS = {
    "interactions": """
        feature { name: "user_id" type: BYTES } feature { name: "target_from" type: INT }
        feature { name: "item_ids" type: BYTES }""",
    "items": """
        feature { name: "item_id" type: BYTES }
        feature { name: "item_price" type: FLOAT float_domain { min: 0 max: 9 }
                  drift_comparator { jensen_shannon_divergence { threshold: 0.5 } } }""",
}
TIMELINES = {"user_id": ["u"], "target_from": [0], "item_ids": [["a", "b"]]}


class Validated(NamedTuple):
    examples: Examples
    schema: Schema
    statistics: ExampleStatistics
    anomalies: ExampleAnomalies


def validate(folder: pathlib.Path, table: str, splits: dict[str, dict[str, list]]) -> Validated:
    artifacts = Validated(Examples(), Schema(), ExampleStatistics(), ExampleAnomalies())
    for name, artifact in artifacts._asdict().items():
        artifact.uri = str(folder / table / name)
        pathlib.Path(artifact.uri).mkdir(parents=True)
    lay_examples(artifacts.examples.uri, splits)
    artifacts.examples.split_names = artifact_utils.encode_split_names(list(splits))
    SchemaGen.test_call(schema=artifacts.schema, text=SCHEMAS[table])
    StatisticsGen.test_call(
        examples=artifacts.examples, statistics=artifacts.statistics, pipeline=beam_pipeline()
    )
    Executor().Do(
        {"statistics": [artifacts.statistics], "schema": [artifacts.schema]},
        {"anomalies": [artifacts.anomalies]},
        {"exclude_splits": json.dumps([])},
    )
    return artifacts


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Interactions, and catalogues of three prices."""
    folder = tmp_path_factory.mktemp("gate")

    def items(name: str, prices: list[float]) -> Validated:
        ids = [f"i{n}" for n in range(len(prices))]
        columns = {"item_id": ids, "item_price": prices}
        return validate(folder / name, "items", {"all": columns})

    return {
        "interactions": validate(folder, "interactions", {"train": TIMELINES}),
        "sound": items("sound", [1.0, 2.0, 3.0]),
        "other": items("other", [7.0, 8.0, 9.0]),
        "broken": items("broken", [1.0, 2.0, 10.0]),
    }


def gate(tables, items: str, pages: pathlib.Path, before: str = "") -> None:
    inputs = {}
    for table, artifacts in (("interactions", tables["interactions"]), ("items", tables[items])):
        inputs[table] = artifacts.examples
        inputs[f"{table}_schema"] = artifacts.schema
        inputs[f"{table}_statistics"] = artifacts.statistics
        inputs[f"{table}_anomalies"] = artifacts.anomalies
    passed = Verdict()
    passed.uri = str(pages.parent / "passed")
    settings = {"interactions_before": "", "items_before": before, "fingerprint": ""}
    DataGate.test_call(**inputs, passed=passed, **settings, pages=str(pages))


def test_valid_data_pass_and_write_statistics_pages(tables, tmp_path):
    gate(tables, "sound", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["interactions.html", "items.html"]


def test_invalid_data_stop_the_run_and_write_statistics_pages(tables, tmp_path):
    with pytest.raises(DataRefused) as refused:
        gate(tables, "broken", tmp_path)
    assert refused.value.exit_code == 3
    expected = (
        "items/all: item_price: range: expected numbers from 0 to 9, "
        "received numbers from 1 to 10; e.g. item_id i2: 10"
    )
    assert expected in str(refused.value)
    assert "item_price: range" in (tmp_path / "items.html").read_text()


def test_drift_is_measured_against_the_previous_statistics(tables, tmp_path):
    gate(tables, "other", tmp_path)
    gate(tables, "sound", tmp_path, before=tables["sound"].statistics.uri)
    with pytest.raises(DataRefused, match="items/all: item_price: drift"):
        gate(tables, "other", tmp_path, before=tables["sound"].statistics.uri)
