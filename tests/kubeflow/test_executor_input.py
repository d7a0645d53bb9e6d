"""What a task is handed, whole: the emulator's is that of the driver and launcher of KFP 2.17,
whose literals these are.
"""

import json
import re

from tests.kubeflow.backend import Backend
from tests.kubeflow.hand_written import FOLDER, component, constants, container, task, written

RECEIVE = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"


def received(bucket, noted, tmp_path, declared, **inputs):
    """The ExecutorInput of a task `a`, with its pod's folder and its own UUID cut out."""
    path = written(
        tmp_path / "d.yaml",
        {"a": task("a", inputs=constants(**inputs))},
        {"a": container(RECEIVE, noted.file, "{{$}}")},
        {"a": declared},
    )
    assert Backend(f"{bucket}/root", tmp_path / "pods").run(path).succeeded
    text = " ".join(noted()).replace(f"{tmp_path}/pods/run-1/a", "")
    text = text.replace(bucket.removeprefix("s3://"), "cluster")
    return json.loads(re.sub("[0-9a-f]{8}-[-0-9a-f]{27}", "UUID", text))


def test_a_value_declared_as_string_is_written_as_string(bucket, noted, tmp_path):
    declared = component("a", small="STRING", large="STRING", whole="STRING", tree="STRING")
    given = {"small": 1e-7, "large": 1.5e20, "whole": 4, "tree": {"b": 1.5, "a": [True, None, 3]}}
    handed = received(bucket, noted, tmp_path, declared, **given)
    assert handed["inputs"]["parameterValues"] == {
        "small": "0.0000001",
        "large": "150000000000000000000",
        "whole": "4",
        "tree": '{"a":[true,null,3],"b":1.5}',
    }


def test_outputs_have_no_metadata_where_none_are_declared(bucket, noted, tmp_path):
    of = "cluster/root/by-hand/run-1/a/UUID"
    declared = component("a", n="NUMBER_INTEGER", text="STRING")
    declared["outputDefinitions"] = {
        "artifacts": {"x": {"artifactType": FOLDER}},
        "parameters": {"m": {"parameterType": "STRING"}},
    }
    logs = {"name": "executor-logs", "type": FOLDER, "uri": f"s3://{of}/executor-logs-0"}
    handed = received(bucket, noted, tmp_path, declared, n=3, text="t")
    assert isinstance(handed["inputs"]["parameterValues"]["n"], int), "3, and not 3.0"
    assert handed == {
        "inputs": {"parameterValues": {"n": 3, "text": "t"}},
        "outputs": {
            "artifacts": {
                "x": {"artifacts": [{"name": "x", "type": FOLDER, "uri": f"s3://{of}/x"}]},
                "executor-logs": {"artifacts": [logs]},
            },
            "parameters": {"m": {"outputFile": "/tmp/kfp/outputs/m"}},
            "outputFile": f"/s3/{of}/output_metadata.json",
        },
    }
