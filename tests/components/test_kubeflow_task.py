"""The entrypoint of Kubeflow's tasks, as the backend calls it."""

import json
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from components import kubeflow_task
from schema import object_store

DECLARED = json.dumps(
    {
        "artifacts": {
            "histories": {"artifactType": {"instanceSchema": "title: components.Histories\n"}},
            "model": {"artifactType": {"instanceSchema": "title: tfx.Model\n"}},
        },
        "parameters": {"seed": {"parameterType": "NUMBER_INTEGER"}},
    }
)


def given(**types):
    """An ExecutorInput with one artifact a name, of that type."""
    artifacts = {
        name: {"artifacts": [{"name": "7", "uri": f"s3://b/{name}", "type": kind}]}
        for name, kind in types.items()
    }
    inputs = {"artifacts": artifacts, "parameterValues": {"seed": 3}}
    return {"inputs": inputs, "outputs": {"outputFile": "/tmp/out.json"}}


def message(executor_input):
    empty: Any = pipeline_spec_pb2.ExecutorInput()
    return json_format.ParseDict(executor_input, empty)


def filled(executor_input):
    parsed = message(executor_input)
    kubeflow_task.add_types(parsed, DECLARED)
    return json_format.MessageToDict(parsed)


def types_of(executor_input):
    found = executor_input["inputs"]["artifacts"]
    return {name: given["artifacts"][0]["type"] for name, given in found.items()}


def test_types_that_the_backend_left_out_come_from_the_declaration():
    found = filled(given(histories={"instanceSchema": ""}, model={}))
    assert types_of(found) == {
        "histories": {"instanceSchema": "title: components.Histories\n"},
        "model": {"instanceSchema": "title: tfx.Model\n"},
    }


def test_types_that_the_backend_knows_stay():
    known = {"schemaTitle": "tfx.Examples", "schemaVersion": "0.0.1"}
    assert types_of(filled(given(model=known))) == {"model": known}


def test_all_else_stays_as_it_was():
    found = filled(given(model={"instanceSchema": ""}))
    artifact = found["inputs"]["artifacts"]["model"]["artifacts"][0]
    assert (artifact["name"], artifact["uri"]) == ("7", "s3://b/model")
    assert found["inputs"]["parameterValues"] == {"seed": 3.0}
    assert found["outputs"] == {"outputFile": "/tmp/out.json"}


def test_what_an_earlier_attempt_left_is_removed_and_nothing_else(bucket, tmp_path):
    (tmp_path / "part").write_text("1")
    for place in ("run/task/examples/Split-train", "run/task/examples-2", "run/other/examples"):
        object_store.upload_file(tmp_path / "part", f"{bucket}/{place}/part")
    artifact = {"name": "examples", "uri": f"{bucket}/run/task/examples"}
    outputs = {"artifacts": {"examples": {"artifacts": [artifact]}}}
    kubeflow_task.clear_outputs(message({"outputs": outputs}))
    assert object_store.files(bucket) == ["run/other/examples/part", "run/task/examples-2/part"]
    kubeflow_task.clear_outputs(message({"outputs": outputs}))
