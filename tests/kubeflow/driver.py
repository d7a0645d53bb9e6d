"""What the backend determines before a container starts: inputs, locations of outputs, and whether
the cache has them (driver/resolve.go, driver/driver.go, driver/cache.go, cacheutils/cache.go).

`provisionOutputs` adds an output to those of every component: LOGS, which the launcher writes. It
can be turned off in the API server's environment (compiler/argocompiler/container.go,
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
from tests.kubeflow.document import DocumentRefused, pb
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
    """Names of the run and of the current task."""

    root: str
    pipeline: str
    run: str
    """The API server's ID of the run, which is part of the artifacts' URIs: `runID` in
    compiler/argocompiler/argo.go."""
    workflow: str
    """Argo's name of the workflow that runs it: `runResourceName` there."""
    task: str

    def constant(self, value: Any) -> Any:
        """Replaces a constant that consists of one of KFP's placeholders (driver/resolve.go,
        `resolveInputParameter`).
        """
        placeholders = {
            "{{$.pipeline_job_name}}": f"Run of {self.pipeline}",
            "{{$.pipeline_job_resource_name}}": self.workflow,
            "{{$.pipeline_job_uuid}}": self.run,
            "{{$.pipeline_task_name}}": self.task,
        }
        replacement = placeholders.get(value.string_value)
        return value if replacement is None else struct_pb2.Value(string_value=replacement)


def inputs(task: Any, component: Any, dag: Dag, names: Names) -> Any:
    """ExecutorInput.Inputs of a container or of a DAG (`resolveInputs`)."""
    result = pb.ExecutorInput.Inputs()
    declared = component.input_definitions.parameters
    for name, source in task.inputs.parameters.items():
        value = _parameter(source, task, dag, names)
        if value.WhichOneof("kind") != "null_value":
            result.parameter_values[name].CopyFrom(value)
        elif not (name in declared and declared[name].is_optional):
            raise DocumentRefused(f"null for parameter {name!r}, which is not optional")
    for name, source in task.inputs.artifacts.items():
        if source.component_input_artifact:
            artifact = dag.artifacts[source.component_input_artifact]
        else:
            output = source.task_output_artifact
            artifact = dag.artifact(output.producer_task, output.output_artifact_key)
        result.artifacts[name].artifacts.append(artifact)
    _check(declared, result.parameter_values)
    return result


def _parameter(source: Any, task: Any, dag: Dag, names: Names) -> Any:
    kind = source.WhichOneof("kind")
    if kind == "component_input_parameter":
        return dag.parameters[source.component_input_parameter]
    if kind == "task_output_parameter":
        output = source.task_output_parameter
        return dag.parameter(output.producer_task, output.output_parameter_key)
    if kind == "runtime_value" and source.runtime_value.HasField("constant"):
        return names.constant(source.runtime_value.constant)
    if kind == "task_final_status":
        return _final_status(task.dependent_tasks[0], dag, names)
    raise DocumentRefused(f"{names.task}: parameters of kind {kind} are not implemented")


def _final_status(producer: str, dag: Dag, names: Names) -> Any:
    """The state in ML Metadata of the first task that the exit task depends on; the resource is the
    workflow, not the run (driver/resolve.go, `resolveInputParameter`).
    """
    status = {
        "state": dag.tasks[producer].state,
        "pipelineTaskName": producer,
        "pipelineJobResourceName": names.workflow,
        "error": {},
    }
    return json_format.ParseDict(status, struct_pb2.Value())


def _check(declared: Any, values: Any) -> None:
    """`handleParamTypeValidationAndConversion`: any value of a parameter declared as string is
    converted; all other types must match. The launcher adds defaults later.
    """
    for name, spec in declared.items():
        if name not in values:
            if not (spec.is_optional or spec.HasField("default_value")):
                raise DocumentRefused(
                    f"neither value nor default for non-optional parameter {name!r}"
                )
            continue
        kind = pb.ParameterType.ParameterTypeEnum.Name(spec.parameter_type)
        if kind == "STRING":
            values[name].CopyFrom(struct_pb2.Value(string_value=executions.to_text(values[name])))
        elif values[name].WhichOneof("kind") != _KINDS[kind]:
            raise DocumentRefused(f"parameter {name!r}: expected {kind}, received {values[name]}")


def outputs(component: Any, names: Names, local: str) -> Any:
    """ExecutorInput.Outputs: new URIs below the pipeline's root, and files in the container's own
    file system, which is the folder `local` here (driver/driver.go, `provisionOutputs`;
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
    """Path in the container: below the local path of the task's root if KFP knows the scheme
    (component/launcher_v2.go, `LocalPathForURI`), else `OutputMetadataFilepath`.
    """
    scheme, separator, path = task_root.partition("://")
    folders = {"gs": "gcs", "minio": "minio", "s3": "s3"}
    if separator and scheme in folders:
        return f"/{folders[scheme]}/{path}/output_metadata.json"
    return "/tmp/kfp_outputs/output_metadata.json"


def command(container: Any, executor_input: Any) -> list[str]:
    """The container's command, with the task's input parameters, but not defaults, inserted in each
    argument that names no output (driver/util.go, `resolveContainerArgs`). The launcher replaces
    the other placeholders.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in executor_input.inputs.parameter_values:
            raise DocumentRefused(f"parameter {match[1]!r} not found in the task's inputs")
        return executions.to_text(executor_input.inputs.parameter_values[match[1]])

    arguments = [*container.command, *container.args]
    return [a if "$.outputs" in a else _INPUT_PARAMETER.sub(value, a) for a in arguments]


def fingerprint(executor_input: Any, component: Any, container: Any) -> str:
    """The cache key of an execution (`GenerateCacheKey`): input artifacts by name, which is their
    id; outputs without their URIs; the container without its resources.
    """
    task_inputs, task_outputs = executor_input.inputs, executor_input.outputs
    kinds = component.output_definitions.parameters
    outputs_by_name = {}
    for name, listed in task_outputs.artifacts.items():
        first = json_format.MessageToDict(listed.artifacts[0])
        outputs_by_name[name] = {k: v for k, v in first.items() if k != "uri"}
    key = {
        "inputArtifactNames": {
            k: [a.name for a in v.artifacts] for k, v in task_inputs.artifacts.items()
        },
        "inputParameterValues": {
            name: json_format.MessageToDict(value)
            for name, value in task_inputs.parameter_values.items()
        },
        "outputArtifactsSpec": outputs_by_name,
        "outputParametersSpec": {
            name: kinds[name].parameter_type for name in task_outputs.parameters
        },
        "containerSpec": {
            "image": container.image,
            "cmdArgs": [*container.command, *container.args],
        },
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
