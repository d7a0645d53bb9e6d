"""The complete ExecutorInput of a task: literals of the driver and launcher of KFP 2.17, which the
emulator reproduces.
"""

import json
import re

from tests.kubeflow.backend import Backend
from tests.kubeflow.hand_written import (
    FOLDER,
    component,
    constants,
    container,
    task,
    write_document,
)

RECEIVE = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"


def get_executor_input(bucket, read_notes, tmp_path, declared, **inputs):
    """The ExecutorInput of a task `a`, without its pod's folder and with its UUID replaced."""
    path = write_document(
        tmp_path / "d.yaml",
        {"a": task("a", inputs=constants(**inputs))},
        {"a": container(RECEIVE, read_notes.file, "{{$}}")},
        {"a": declared},
    )
    assert Backend(f"{bucket}/root", tmp_path / "pods").run(path).succeeded
    text = " ".join(read_notes()).replace(f"{tmp_path}/pods/run-1/a", "")
    text = text.replace(bucket.removeprefix("s3://"), "cluster")
    return json.loads(re.sub("[0-9a-f]{8}-[-0-9a-f]{27}", "UUID", text))


def test_a_value_declared_as_string_is_written_as_string(bucket, read_notes, tmp_path):
    declared = component("a", small="STRING", large="STRING", whole="STRING", tree="STRING")
    values = {"small": 1e-7, "large": 1.5e20, "whole": 4, "tree": {"b": 1.5, "a": [True, None, 3]}}
    executor_input = get_executor_input(bucket, read_notes, tmp_path, declared, **values)
    assert executor_input["inputs"]["parameterValues"] == {
        "small": "0.0000001",
        "large": "150000000000000000000",
        "whole": "4",
        "tree": '{"a":[true,null,3],"b":1.5}',
    }


def test_outputs_have_no_metadata_where_none_are_declared(bucket, read_notes, tmp_path):
    folder = "cluster/root/by-hand/run-1/a/UUID"
    declared = component("a", n="NUMBER_INTEGER", text="STRING")
    declared["outputDefinitions"] = {
        "artifacts": {"x": {"artifactType": FOLDER}},
        "parameters": {"m": {"parameterType": "STRING"}},
    }
    logs = {"name": "executor-logs", "type": FOLDER, "uri": f"s3://{folder}/executor-logs-0"}
    executor_input = get_executor_input(bucket, read_notes, tmp_path, declared, n=3, text="t")
    assert isinstance(executor_input["inputs"]["parameterValues"]["n"], int), "expected 3, not 3.0"
    assert executor_input == {
        "inputs": {"parameterValues": {"n": 3, "text": "t"}},
        "outputs": {
            "artifacts": {
                "x": {"artifacts": [{"name": "x", "type": FOLDER, "uri": f"s3://{folder}/x"}]},
                "executor-logs": {"artifacts": [logs]},
            },
            "parameters": {"m": {"outputFile": "/tmp/kfp/outputs/m"}},
            "outputFile": f"/s3/{folder}/output_metadata.json",
        },
    }
