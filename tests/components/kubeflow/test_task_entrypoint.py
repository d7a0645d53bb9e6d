"""The entrypoint of Kubeflow's tasks, as the backend calls it."""

import json
import pathlib
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from components.kubeflow import task_entrypoint
from components.kubeflow.task_record import load_record
from schema.storage import object_store

INPUTS = json.dumps(
    {
        "artifacts": {
            "histories": {"artifactType": {"instanceSchema": "title: components.Histories\n"}},
            "model": {"artifactType": {"instanceSchema": "title: tfx.Model\n"}},
        },
        "parameters": {"seed": {"parameterType": "NUMBER_INTEGER"}},
    }
)
OUTPUTS = json.dumps(
    {"artifacts": {"index": {"artifactType": {"instanceSchema": "title: tfx.Model\n"}}}}
)
SESSION = {"store_session_info": '{"Provider":"s3","Params":{"secretName":"store"}}'}
STATUS = json.dumps({"state": "COMPLETE", "pipelineJobResourceName": "shop-7xk2p"})


def build_input(**types):
    """An ExecutorInput with one artifact per name, of the given type."""
    artifacts = {
        name: {"artifacts": [{"name": "7", "uri": f"s3://b/{name}", "type": kind}]}
        for name, kind in types.items()
    }
    inputs = {"artifacts": artifacts, "parameterValues": {"seed": 3}}
    return {"inputs": inputs, "outputs": {"outputFile": "/tmp/out.json"}}


def message(executor_input):
    empty: Any = pipeline_spec_pb2.ExecutorInput()
    return json_format.ParseDict(executor_input, empty)


def fill_input(executor_input):
    parsed = message(executor_input)
    task_entrypoint.drop_undeclared(parsed, INPUTS, OUTPUTS)
    return json_format.MessageToDict(parsed)


def get_types(executor_input):
    result = executor_input["inputs"]["artifacts"]
    return {name: build_input["artifacts"][0]["type"] for name, build_input in result.items()}


def test_missing_types_come_from_the_declaration():
    result = fill_input(build_input(histories={"instanceSchema": ""}, model={}))
    assert get_types(result) == {
        "histories": {"instanceSchema": "title: components.Histories\n"},
        "model": {"instanceSchema": "title: tfx.Model\n"},
    }


def test_types_from_the_backend_are_kept():
    model_type = {"schemaTitle": "tfx.Examples", "schemaVersion": "0.0.1"}
    assert get_types(fill_input(build_input(model=model_type))) == {"model": model_type}


def test_other_fields_are_unchanged():
    result = fill_input(build_input(model={"instanceSchema": ""}))
    artifact = result["inputs"]["artifacts"]["model"]["artifacts"][0]
    assert (artifact["name"], artifact["uri"]) == ("7", "s3://b/model")
    assert result["inputs"]["parameterValues"] == {"seed": 3.0}
    assert result["outputs"] == {"outputFile": "/tmp/out.json"}


def test_only_output_of_an_earlier_attempt_is_removed(bucket, tmp_path):
    (tmp_path / "part").write_text("1")
    for location in ("run/task/examples/Split-train", "run/task/examples-2", "run/other/examples"):
        object_store.upload_file(tmp_path / "part", f"{bucket}/{location}/part")
    artifact = {"name": "examples", "uri": f"{bucket}/run/task/examples"}
    outputs = {"artifacts": {"examples": {"artifacts": [artifact]}}}
    task_entrypoint.clear_outputs(message({"outputs": outputs}))
    assert object_store.list_files(bucket) == [
        "run/other/examples/part",
        "run/task/examples-2/part",
    ]
    task_entrypoint.clear_outputs(message({"outputs": outputs}))


def test_undeclared_inputs_are_not_passed_to_tfx():
    executor_input = build_input(model={}, lineage={"schemaTitle": "system.Lineage"})
    executor_input["inputs"]["parameterValues"] |= {"tenant": None, "retries": [1]}
    outputs = {name: {"artifacts": [{"uri": f"s3://b/{name}"}]} for name in ("index", "logs")}
    executor_input["outputs"] |= {
        "artifacts": outputs,
        "parameters": {"took": {"outputFile": "/t"}},
    }
    result = fill_input(executor_input)
    assert set(result["inputs"]["artifacts"]) == {"model"}
    assert result["inputs"]["parameterValues"] == {"seed": 3.0}
    assert set(result["outputs"]) == {"artifacts", "outputFile"}
    assert set(result["outputs"]["artifacts"]) == {"index"}


def test_an_output_is_of_the_type_that_the_component_declares():
    """The backend's pages show the reported artifacts."""
    outputs = {"uri": "s3://b/index", "type": {"schemaTitle": "system.HTML"}}
    result = fill_input({"outputs": {"artifacts": {"index": {"artifacts": [outputs]}}}})
    (artifact,) = result["outputs"]["artifacts"]["index"]["artifacts"]
    assert artifact["type"] == {"instanceSchema": "title: tfx.Model\n"}


def test_metadata_of_the_backend_stay_but_those_without_a_value():
    executor_input = build_input(model={})
    artifact = executor_input["inputs"]["artifacts"]["model"]["artifacts"][0]
    metadata = {
        "rows": 7.0,
        "display_name": "model",
        **SESSION,
        "nested": {"list": [None, {"a": True}]},
    }
    artifact["metadata"] = metadata | {"owner": None}
    (result,) = fill_input(executor_input)["inputs"]["artifacts"]["model"]["artifacts"]
    assert result["metadata"] == metadata


def test_additional_files_of_a_task_are_in_its_own_folder():
    values = {
        "rejected_dir": "{task}/rejected",
        "serving_dir": "s3://b/serving",
        "text": "a {task}",
    }
    outputs = {"index": {"artifacts": [{"uri": "s3://b/run/Indexer/5a/index"}]}}
    parsed = message({"inputs": {"parameterValues": values}, "outputs": {"artifacts": outputs}})
    task_entrypoint.fill_task_folder(parsed)
    result = {name: value.string_value for name, value in parsed.inputs.parameter_values.items()}
    assert result == values | {"rejected_dir": "s3://b/run/Indexer/5a/rejected"}


def test_a_component_runs_with_unknown_fields_of_a_later_backend(tmp_path):
    """Its executor and TFX's entrypoint, with one unknown field of every kind."""
    inputs = {
        "artifacts": {"logs": {"artifacts": [{"name": "9", "uri": "s3://b/of-another"}]}},
        "parameterValues": {"final_status": STATUS, "root": str(tmp_path / "v"), "tenant": None}
        | {"run": "2b8c", "tasks": '{"Pusher": []}', "never_cached": "[]"},
    }
    artifact = {"name": "verdict", "metadata": {**SESSION, "owner": None, "type": {"list": [1]}}}
    folder = tmp_path / "run" / "RunVerdict" / "5a"
    artifact["uri"] = str(folder / "verdict")
    log = {"uri": str(folder / "executor-logs-0"), "type": {"schemaTitle": "system.Artifact"}}
    drawn = {"uri": str(folder / "words"), "type": {"schemaTitle": "system.Markdown"}}
    outputs = {
        "artifacts": {
            "verdict": {"artifacts": [artifact]},
            "words": {"artifacts": [drawn]},
            "executor-logs": {"artifacts": [log]},
        },
        "parameters": {"took": {"outputFile": "/tmp/took"}},
        "outputFile": str(tmp_path / "s3" / "out.json"),
    }
    texts = dict.fromkeys(("root", "run", "tasks", "never_cached"), "STRING")
    kinds = {"final_status": "TASK_FINAL_STATUS"} | texts
    takes = {"parameters": {name: {"parameterType": kind} for name, kind in kinds.items()}}
    makes = {
        name: {"artifactType": {"instanceSchema": f"title: components.{kind}\n"}}
        for name, kind in (("verdict", "Verdict"), ("words", "Words"))
    }
    flags = {
        "--executor_class_path": "components.run_verdict.RunVerdict_Executor",
        "--json_serialized_invocation_args": json.dumps({"inputs": inputs, "outputs": outputs}),
        "--json_serialized_inputs_spec_args": json.dumps(takes),
        task_entrypoint.OUTPUTS_FLAG: json.dumps({"artifacts": makes}),
    }
    argv = [word for flag in flags.items() for word in flag]
    task_entrypoint.run(task_entrypoint.parse_arguments(argv))
    output = json.loads((tmp_path / "s3" / "out.json").read_text())
    assert set(output["artifacts"]) == {"verdict", "words"}
    (shown,) = output["artifacts"]["words"]["artifacts"]
    assert pathlib.Path(shown["uri"]).read_text().startswith("# failed")
    verdict = json.loads((tmp_path / "v" / "verdicts" / "2b8c.json").read_text())
    assert verdict["workflow"] == "shop-7xk2p"
    record = load_record(str(tmp_path / "run"), "RunVerdict")
    assert record is not None
    assert record.state == "complete"
