"""The entrypoint of Kubeflow's tasks, as the backend calls it."""

import json

from components import kubeflow_task

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


def filled(executor_input):
    return json.loads(kubeflow_task.with_types(json.dumps(executor_input), DECLARED))


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
