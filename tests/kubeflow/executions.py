"""What the backend keeps in ML Metadata (metadata/client.go, metadata/converter.go)."""

import dataclasses
import itertools
import json
from typing import Any

import numpy as np
from google.protobuf import json_format

from tests.kubeflow.document import pb

RUNNING, COMPLETE, CACHED, FAILED = "RUNNING", "COMPLETE", "CACHED", "FAILED"
"""States of ML Metadata's executions, which is what an exit task is told."""
SUCCEEDED = {COMPLETE, CACHED}


@dataclasses.dataclass
class Execution:
    """Of a container; `Dag` is one of many."""

    state: str = RUNNING
    artifacts: dict[str, Any] = dataclasses.field(default_factory=dict)
    """RuntimeArtifacts as later tasks are given them."""
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
        """As `UpdateDAGExecutionsState`, which a launcher calls at its end. So a DAG whose last
        tasks came from the cache stays RUNNING for its exit task. The root's state is not kept.
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
        """An output of a task of this DAG; of a DAG's it is what its own outputs select
        (driver/resolve.go, `resolveUpstreamArtifacts`).
        """
        producer = self.tasks[task]
        if isinstance(producer, Execution):
            return producer.artifacts[key]
        selected = producer.spec.outputs.artifacts[key].artifact_selectors[0]
        return producer.artifact(selected.producer_subtask, selected.output_artifact_key)

    def parameter(self, task: str, key: str) -> Any:
        """The same for a parameter."""
        producer = self.tasks[task]
        if isinstance(producer, Execution):
            return producer.parameters[key]
        selected = producer.spec.outputs.parameters[key].value_from_parameter
        return producer.parameter(selected.producer_subtask, selected.output_parameter_key)

    def executions(self) -> dict[str, Execution]:
        """Every container's, by task."""
        values_by_name: dict[str, Execution] = {}
        for name, task in self.tasks.items():
            values_by_name |= {name: task} if isinstance(task, Execution) else task.executions()
        return values_by_name


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
"""What config/s3.go, `ProvideSessionInfo`, makes of deploy/kubeflow/kfp-launcher.yaml."""


def recorded(key: str, artifact: Any) -> Any:
    """What comes back out of ML Metadata for an artifact that a launcher put in.

    `RecordArtifact` (metadata/client.go) adds a display name and, as JSON, how the store is
    reached. `toMLMDArtifact` and `toRuntimeArtifact` (metadata/converter.go): a bool comes back as
    a number, a list or an object wrapped in another, null is an error. The name is the new id, and
    the type is lost: `GetOutputArtifactsByExecutionId` (metadata/client.go) has "" for the schema.
    ML Metadata itself keeps six decimals of a number (`QueryConfigExecutor::Bind` in
    google/ml-metadata, ml_metadata/metadata_store/query_config_executor.cc).
    """
    metadata = json_format.MessageToDict(artifact.metadata)
    metadata.setdefault("display_name", key)
    metadata.setdefault("store_session_info", json.dumps(_SESSION, separators=(",", ":")))
    result = pb.RuntimeArtifact(name=str(next(_ids)), uri=artifact.uri)
    result.type.instance_schema = ""
    json_format.ParseDict({k: _stored(v) for k, v in metadata.items()}, result.metadata)
    return result


def _stored(value: Any) -> Any:
    if value is None:
        raise TypeError("expected metadata without null, which KFP's converter does not know")
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, float):
        return float(f"{value:.6f}")
    if isinstance(value, list):
        return {"list": value}
    return {"struct": value} if isinstance(value, dict) else value


def text(value: Any) -> str:
    """A google.protobuf.Value as KFP writes it where a string is wanted (`PbValueToText`)."""
    result = plain(value)
    if isinstance(result, int | float) and not isinstance(result, bool):
        return np.format_float_positional(result, trim="-")
    if isinstance(result, str):
        return result
    return json.dumps(result, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def plain(message: Any) -> Any:
    """What the JSON of a message holds: Go writes a whole number without a point."""
    return json.loads(json_format.MessageToJson(message), parse_float=_number)


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number
