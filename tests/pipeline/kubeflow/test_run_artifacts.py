"""The sources of a report: artifacts of this run and of others, and the tasks' records."""

import math
import pathlib
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.container import (
    kubeflow_v2_entrypoint_utils as entrypoint,
)
from tfx.types.standard_artifacts import Examples, Model

from components.kubeflow.task_record import TaskRecorder
from pipeline.config.config import load_config
from pipeline.config.run_parameters import RunParameters
from pipeline.kubeflow.run_artifacts import (
    RunArtifacts,
    apply_run_parameters,
    get_run_root,
    list_stages,
)
from pipeline.summary import _read_training

CONFIG = pathlib.Path(__file__).resolve().parents[3] / "configs" / "simulated.toml"


def at(kind, uri):
    artifact = kind()
    artifact.uri = uri
    return artifact


def test_artifacts_of_the_run_and_of_the_one_that_they_are_cached_from():
    result = RunArtifacts(
        {
            "ItemsGen": {"examples": at(Examples, "s3://b/shop/run-1/ItemsGen/5a/examples")},
            "Indexer": {"index": at(Model, "s3://b/shop/run-2/Indexer/5b/index")},
        },
        get_run_root("s3://b/shop/run-2/RunReport/5c/page"),
    )
    assert not result.is_own("ItemsGen")
    assert result.is_own("Indexer")
    assert result.get_folder("ItemsGen") == "s3://b/shop/run-1/ItemsGen/5a"
    indexed = result.find_latest_run("Indexer")
    assert indexed is not None
    assert (indexed.cached, indexed.outputs["index"].uri) == (
        False,
        "s3://b/shop/run-2/Indexer/5b/index",
    )
    assert result.find_latest_run("Evaluator") is None


def test_a_stage_without_output_was_cached(tmp_path):
    with TaskRecorder(str(tmp_path / "Indexer" / "5b")):
        pass
    items, indexer = list_stages(str(tmp_path), ["ItemsGen", "Indexer"])
    assert items == {"name": "ItemsGen", "seconds": 0.0, "cached": True}
    assert (indexer["name"], indexer["cached"]) == ("Indexer", False)
    assert 0 <= indexer["seconds"] < 5


def test_parameters_of_the_run_replace_those_of_the_compiled_configuration():
    compiled = load_config(CONFIG)
    given = RunParameters("7", 3, 5, '[{"metric": "ndcg@10", "at_least": 0.25}]')
    configured = apply_run_parameters(compiled.model_dump_json(), given)
    assert (configured.retrieval.epochs, configured.ranking.epochs) == (3, 5)
    assert [rule.at_least for rule in configured.blessing.thresholds] == [0.25]
    assert (
        apply_run_parameters(compiled.model_dump_json(), RunParameters.build(compiled)) == compiled
    )


def test_training_metrics_are_unchanged_by_kubeflow():
    """TFX's `get_custom_property` returns None for a 0 that was passed through Kubeflow."""
    numbers = {"epochs": 1.0, "valid_difference": 0.0, "valid_loss": 7.25}
    model = at(Model, "s3://b/shop/run-1/RetrievalTrainer/5a/model")
    for name, value in (numbers | {"broken": math.nan}).items():
        model.set_float_custom_property(name, value)
    model.set_string_custom_property("warm_start", "{}")
    written = entrypoint.to_runtime_artifact(model, {})
    del written.metadata.fields["broken"]  # which JSON does not have
    written.type.schema_title = "tfx.Model"
    listed: Any = pipeline_spec_pb2.ArtifactList()
    listed.artifacts.add().CopyFrom(written)
    ((read,),) = entrypoint.parse_raw_artifact_dict({"model": listed}, {}).values()
    for each in (model, read):
        runs = RunArtifacts({"RetrievalTrainer": {"model": each}}, "s3://b/shop/run-1")
        assert _read_training(runs, "RetrievalTrainer") == {"training": numbers}
