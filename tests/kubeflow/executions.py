"""What the backend stores in ML Metadata (metadata/client.go, metadata/converter.go)."""

import dataclasses
import itertools
import json
from typing import Any

import numpy as np
from google.protobuf import json_format

from tests.kubeflow.document import pb

RUNNING, COMPLETE, CACHED, FAILED = "RUNNING", "COMPLETE", "CACHED", "FAILED"
"""States of ML Metadata's executions, which an exit task receives."""
SUCCEEDED = {COMPLETE, CACHED}


@dataclasses.dataclass
class Execution:
    """The execution of one container; `Dag` is that of several tasks."""

    state: str = RUNNING
    artifacts: dict[str, Any] = dataclasses.field(default_factory=dict)
    """RuntimeArtifacts as later tasks receive them."""
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    attempts: int = 0
    log: str = ""


@dataclasses.dataclass
class Dag:
    """A DAG's inputs and the executions of its tasks; tasks that were never started have none."""

    spec: Any
    parameters: dict[str, Any]
    artifacts: dict[str, Any]
    parent: "Dag | None" = None
    state: str = RUNNING
    tasks: "dict[str, Execution | Dag]" = dataclasses.field(default_factory=dict)

    def update_state(self) -> None:
        """As `UpdateDAGExecutionsState`, which only a launcher calls, at its end. A DAG with last
        tasks from the cache therefore stays RUNNING for its exit task. The root's state is not
        stored.
        """
        if self.parent is None:
            return
        states = [task.state for task in list(self.tasks.values())]
        if sum(state in SUCCEEDED for state in states) == len(self.spec.tasks):
            self.state = COMPLETE
        elif FAILED in states:
            self.state = FAILED
        else:
            return
        self.parent.update_state()

    def artifact(self, task: str, key: str) -> Any:
        """An output of a task of this DAG; for a nested DAG, the output that it selects
        (driver/resolve.go, `resolveUpstreamArtifacts`).
        """
        producer = self.tasks[task]
        if isinstance(producer, Execution):
            return producer.artifacts[key]
        selected = producer.spec.outputs.artifacts[key].artifact_selectors[0]
        return producer.artifact(selected.producer_subtask, selected.output_artifact_key)

    def parameter(self, task: str, key: str) -> Any:
        """As `artifact`, for a parameter."""
        producer = self.tasks[task]
        if isinstance(producer, Execution):
            return producer.parameters[key]
        selected = producer.spec.outputs.parameters[key].value_from_parameter
        return producer.parameter(selected.producer_subtask, selected.output_parameter_key)

    def executions(self) -> dict[str, Execution]:
        """Executions of all containers, by task."""
        executions_by_task: dict[str, Execution] = {}
        for name, task in self.tasks.items():
            executions_by_task |= {name: task} if isinstance(task, Execution) else task.executions()
        return executions_by_task


_ids = itertools.count(1)
_SESSION = {
    "Provider": "s3",
    "Params": {
        "accessKeyKey": "AWS_ACCESS_KEY_ID",
        "disableSSL": "true",
        "endpoint": "seaweedfs.kubeflow:9000",
        "forcePathStyle": "true",
        "fromEnv": "false",
        "maxRetries": "5",
        "region": "us-east-1",
        "secretKeyKey": "AWS_SECRET_ACCESS_KEY",
        "secretName": "tandem-store",
    },
}
"""The result of config/s3.go, `ProvideSessionInfo`, for deploy/kubeflow/kfp-launcher.yaml."""


def record_artifact(key: str, artifact: Any) -> Any:
    """A launcher's artifact, as ML Metadata returns it after storing.

    `RecordArtifact` (metadata/client.go) adds a display name and, as JSON, the settings of the
    object store. `toMLMDArtifact` and `toRuntimeArtifact` (metadata/converter.go) return a bool as
    a number, wrap a list or an object in another object, and fail on null. The name is the new id,
    and the type is lost: `GetOutputArtifactsByExecutionId` (metadata/client.go) sets "" as schema.
    ML Metadata itself stores six decimals of a number (`QueryConfigExecutor::Bind` in
    google/ml-metadata, ml_metadata/metadata_store/query_config_executor.cc).
    """
    metadata = json_format.MessageToDict(artifact.metadata)
    metadata.setdefault("display_name", key)
    metadata.setdefault("store_session_info", json.dumps(_SESSION, separators=(",", ":")))
    result = pb.RuntimeArtifact(name=str(next(_ids)), uri=artifact.uri)
    result.type.instance_schema = ""
    json_format.ParseDict({k: _convert_metadata(v) for k, v in metadata.items()}, result.metadata)
    return result


def _convert_metadata(value: Any) -> Any:
    if value is None:
        raise TypeError("expected metadata without null, which KFP's converter does not know")
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, float):
        return float(f"{value:.6f}")
    if isinstance(value, list):
        return {"list": value}
    return {"struct": value} if isinstance(value, dict) else value


def to_text(value: Any) -> str:
    """A google.protobuf.Value as KFP converts it to a string (`PbValueToText`)."""
    result = to_json_value(value)
    if isinstance(result, int | float) and not isinstance(result, bool):
        return np.format_float_positional(result, trim="-")
    if isinstance(result, str):
        return result
    return json.dumps(result, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def to_json_value(message: Any) -> Any:
    """The content of a message's JSON; Go writes a whole number without a decimal point."""
    return json.loads(json_format.MessageToJson(message), parse_float=_number)


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number
