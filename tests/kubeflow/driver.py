"""What the backend decides before a container starts: inputs, places of outputs, and whether the
cache has them (driver/resolve.go, driver/driver.go, driver/cache.go, cacheutils/cache.go).

`provisionOutputs` adds an output to those of every component: LOGS, which the launcher writes. Only
an API server whose environment says otherwise leaves it out (compiler/argocompiler/container.go,
`publishLogsArg`).
"""

import dataclasses
import hashlib
import json
import re
import uuid
from typing import Any

from google.protobuf import json_format, struct_pb2

from tests.kubeflow import executions
from tests.kubeflow.document import Refused, pb
from tests.kubeflow.executions import Dag

LOGS = "executor-logs"
_INPUT_PARAMETER = re.compile(r"\{\{\$\.inputs\.parameters\['(.+?)'\]\}\}")
_KINDS = {
    "NUMBER_DOUBLE": "number_value",
    "NUMBER_INTEGER": "number_value",
    "BOOLEAN": "bool_value",
    "LIST": "list_value",
    "STRUCT": "struct_value",
    "TASK_FINAL_STATUS": "struct_value",
}


@dataclasses.dataclass(frozen=True)
class Names:
    """Of the run, and of the task that is driven."""

    root: str
    pipeline: str
    run: str
    """The API server's ID of the run, which its artifacts lie below: `runID` in
    compiler/argocompiler/argo.go."""
    workflow: str
    """Argo's name of the workflow that runs it: `runResourceName` there."""
    task: str

    def constant(self, value: Any) -> Any:
        """A constant that is one of KFP's placeholders, and nothing else, is replaced
        (driver/resolve.go, `resolveInputParameter`).
        """
        known = {
            "{{$.pipeline_job_name}}": f"Run of {self.pipeline}",
            "{{$.pipeline_job_resource_name}}": self.workflow,
            "{{$.pipeline_job_uuid}}": self.run,
            "{{$.pipeline_task_name}}": self.task,
        }
        result = known.get(value.string_value)
        return value if result is None else struct_pb2.Value(string_value=result)


def inputs(task: Any, component: Any, dag: Dag, names: Names) -> Any:
    """ExecutorInput.Inputs, of a container or of a DAG (`resolveInputs`)."""
    result = pb.ExecutorInput.Inputs()
    declared = component.input_definitions.parameters
    for name, given in task.inputs.parameters.items():
        value = _parameter(given, task, dag, names)
        if value.WhichOneof("kind") != "null_value":
            result.parameter_values[name].CopyFrom(value)
        elif not (name in declared and declared[name].is_optional):
            raise Refused(f"null for parameter {name!r}, which is not optional")
    for name, given in task.inputs.artifacts.items():
        if given.component_input_artifact:
            results = dag.artifacts[given.component_input_artifact]
        else:
            of = given.task_output_artifact
            results = dag.artifact(of.producer_task, of.output_artifact_key)
        result.artifacts[name].artifacts.append(results)
    _check(declared, result.parameter_values)
    return result


def _parameter(given: Any, task: Any, dag: Dag, names: Names) -> Any:
    kind = given.WhichOneof("kind")
    if kind == "component_input_parameter":
        return dag.parameters[given.component_input_parameter]
    if kind == "task_output_parameter":
        of = given.task_output_parameter
        return dag.parameter(of.producer_task, of.output_parameter_key)
    if kind == "runtime_value" and given.runtime_value.HasField("constant"):
        return names.constant(given.runtime_value.constant)
    if kind == "task_final_status":
        return _final_status(task.dependent_tasks[0], dag, names)
    raise Refused(f"{names.task}: parameters of kind {kind} are not implemented")


def _final_status(producer: str, dag: Dag, names: Names) -> Any:
    """The state is ML Metadata's of the first task that the exit task depends on, and the resource
    the workflow, not the run (driver/resolve.go, `resolveInputParameter`).
    """
    status = {
        "state": dag.tasks[producer].state,
        "pipelineTaskName": producer,
        "pipelineJobResourceName": names.workflow,
        "error": {},
    }
    return json_format.ParseDict(status, struct_pb2.Value())


def _check(declared: Any, values: Any) -> None:
    """`handleParamTypeValidationAndConversion`: whatever is declared a string becomes one; any
    other type has to be right. Defaults come later, in the launcher.
    """
    for name, spec in declared.items():
        if name not in values:
            if not (spec.is_optional or spec.HasField("default_value")):
                raise Refused(f"neither value nor default for non-optional parameter {name!r}")
            continue
        kind = pb.ParameterType.ParameterTypeEnum.Name(spec.parameter_type)
        if kind == "STRING":
            values[name].CopyFrom(struct_pb2.Value(string_value=executions.text(values[name])))
        elif values[name].WhichOneof("kind") != _KINDS[kind]:
            raise Refused(f"parameter {name!r}: expected {kind}, received {values[name]}")


def outputs(component: Any, names: Names, local: str) -> Any:
    """ExecutorInput.Outputs: fresh URIs below the pipeline's root, files in the container's own
    file system, whose root is the folder `local` here (driver/driver.go, `provisionOutputs`;
    metadata/client.go, `GenerateOutputURI`).
    """
    task_root = f"{names.root.rstrip('/')}/{names.pipeline}/{names.run}/{names.task}/{uuid.uuid4()}"
    result = pb.ExecutorInput.Outputs(output_file=local + _output_file(task_root))
    artifacts = dict(component.output_definitions.artifacts)
    artifacts[LOGS] = pb.ComponentOutputsSpec.ArtifactSpec()
    artifacts[LOGS].artifact_type.schema_title = "system.Artifact"
    for name, spec in artifacts.items():
        artifact = result.artifacts[name].artifacts.add(name=name, uri=f"{task_root}/{name}")
        artifact.type.CopyFrom(spec.artifact_type)
        if spec.HasField("metadata"):
            artifact.metadata.CopyFrom(spec.metadata)
    for name in component.output_definitions.parameters:
        result.parameters[name].output_file = f"{local}/tmp/kfp/outputs/{name}"
    return result


def _output_file(task_root: str) -> str:
    """In the container: below the local path of the task's root where KFP knows the scheme
    (component/launcher_v2.go, `LocalPathForURI`), else `OutputMetadataFilepath`.
    """
    scheme, separator, path = task_root.partition("://")
    known = {"gs": "gcs", "minio": "minio", "s3": "s3"}
    if separator and scheme in known:
        return f"/{known[scheme]}/{path}/output_metadata.json"
    return "/tmp/kfp_outputs/output_metadata.json"


def command(container: Any, executor_input: Any) -> list[str]:
    """The container's command with the task's input parameters in it, defaults not among them, in
    every word that names no output (driver/util.go, `resolveContainerArgs`). The launcher puts in
    what is left.
    """

    def value(result: re.Match[str]) -> str:
        if result[1] not in executor_input.inputs.parameter_values:
            raise Refused(f"parameter {result[1]!r} not found in the task's inputs")
        return executions.text(executor_input.inputs.parameter_values[result[1]])

    words = [*container.command, *container.args]
    return [w if "$.outputs" in w else _INPUT_PARAMETER.sub(value, w) for w in words]


def fingerprint(executor_input: Any, component: Any, container: Any) -> str:
    """Equal where the cache has the same execution (`GenerateCacheKey`): input artifacts by name,
    that is, id; outputs without their URIs; the container without its resources.
    """
    given, written = executor_input.inputs, executor_input.outputs
    kinds = component.output_definitions.parameters
    outputs_by_name = {}
    for name, listed in written.artifacts.items():
        first = json_format.MessageToDict(listed.artifacts[0])
        outputs_by_name[name] = {k: v for k, v in first.items() if k != "uri"}
    key = {
        "inputArtifactNames": {
            k: [a.name for a in v.artifacts] for k, v in given.artifacts.items()
        },
        "inputParameterValues": {
            name: json_format.MessageToDict(value) for name, value in given.parameter_values.items()
        },
        "outputArtifactsSpec": outputs_by_name,
        "outputParametersSpec": {name: kinds[name].parameter_type for name in written.parameters},
        "containerSpec": {
            "image": container.image,
            "cmdArgs": [*container.command, *container.args],
        },
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
