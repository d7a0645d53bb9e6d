"""The launcher's work inside a task's container (component/launcher_v2.go)."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2

from schema.storage import object_store
from schema.storage.locations import is_remote
from tests.kubeflow import driver, executions
from tests.kubeflow.document import DocumentRefused, pb
from tests.kubeflow.driver import LOGS
from tests.kubeflow.executions import Execution

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
_SECONDS = 900


def launch(
    container: Any,
    component: Any,
    executor_input: Any,
    local: pathlib.Path,
    environment: Mapping[str, str],
    attempt: int = 0,
) -> Execution:
    """Runs one pod.

    If the task is killed, so is the launcher, and neither its log nor its state is published
    (`Execute` does both at its own end).

    Args:
        container: The container to run.
        component: The component of the task.
        executor_input: The task's ExecutorInput, which stays unchanged.
        local: A folder that represents the pod's file system; emptied first.
        environment: Variables in addition to the container's own.
        attempt: The number of this attempt, from 0.
    """
    shutil.rmtree(local, ignore_errors=True)
    local.mkdir(parents=True)
    arguments = driver.command(container, executor_input)
    pod_input = pb.ExecutorInput()
    pod_input.CopyFrom(executor_input)
    for logs in pod_input.outputs.artifacts[LOGS].artifacts:  # qualifyExecutorLogsURI
        logs.uri += f"-{attempt}"
    _make_folders(pod_input)
    outputs = pb.ExecutorInput.Outputs()
    outputs.CopyFrom(pod_input.outputs)
    for name, spec in component.input_definitions.parameters.items():  # addDefaultParams
        if spec.HasField("default_value") and name not in pod_input.inputs.parameter_values:
            pod_input.inputs.parameter_values[name].CopyFrom(spec.default_value)
    image, *command = _replace_placeholders([container.image, *arguments], pod_input)
    if "{{" in image:  # driver.go, resolvePodSpecInputRuntimeParameter
        raise DocumentRefused(f"no input parameter of the task is the image {image}")
    log = local / "log.txt"
    code = _run(command, container, log, environment)
    if code == -signal.SIGKILL:  # the kubelet kills the whole container, with the launcher
        return Execution(executions.RUNNING, log=log.read_text(errors="replace"))
    _upload_log(log, outputs.artifacts[LOGS].artifacts[0].uri)
    execution = Execution(executions.FAILED, log=log.read_text(errors="replace"))
    if code == 0:
        _collect(execution, component, outputs)
        execution.state = executions.COMPLETE
    return execution


def _make_folders(executor_input: Any) -> None:
    """Creates the folders of outputs (`prepareOutputFolders`). A bucket needs none; a local folder
    that represents one does.
    """
    outputs = executor_input.outputs
    for file in [outputs.output_file, *(p.output_file for p in outputs.parameters.values())]:
        pathlib.Path(file).parent.mkdir(parents=True, exist_ok=True)
    for name, listed in outputs.artifacts.items():
        for artifact in listed.artifacts:
            if not is_remote(artifact.uri):
                path = pathlib.Path(artifact.uri)
                (path.parent if name == LOGS else path).mkdir(parents=True, exist_ok=True)


def _upload_log(log: pathlib.Path, uri: str) -> None:
    """Uploads the log, also of a failed task (`getLogWriter`, `uploadOutputArtifacts`)."""
    if is_remote(uri):
        object_store.upload_file(log, uri)
    else:
        shutil.copyfile(log, uri)


def _replace_placeholders(arguments: list[str], executor_input: Any) -> list[str]:
    """`compileCmdAndArgs`: inserts the JSON, then replaces all other placeholders, also in it."""
    replacements = {"{{$}}": json.dumps(executions.to_json_value(executor_input))}
    for name, value in executor_input.inputs.parameter_values.items():
        replacements[f"{{{{$.inputs.parameters['{name}']}}}}"] = executions.to_text(value)
    for name, output in executor_input.outputs.parameters.items():
        replacements[f"{{{{$.outputs.parameters['{name}'].output_file}}}}"] = output.output_file
    for side in ("inputs", "outputs"):
        for name, listed in getattr(executor_input, side).artifacts.items():
            uri = listed.artifacts[0].uri
            replacements[f"{{{{$.{side}.artifacts['{name}'].uri}}}}"] = uri
            if not is_remote(uri):  # KFP's local copy; a folder needs none
                replacements[f"{{{{$.{side}.artifacts['{name}'].path}}}}"] = uri
    for placeholder, value in replacements.items():
        arguments = [argument.replace(placeholder, value) for argument in arguments]
    return arguments


def _run(
    command: list[str], container: Any, log: pathlib.Path, environment: Mapping[str, str]
) -> int:
    """Runs the command with this interpreter and checkout as the image, without this process's
    environment.
    """
    program = sys.executable if command[0] in ("python", "python3") else command[0]
    work = log.parent / "work"
    work.mkdir()
    image_environment = {
        "PATH": f"{pathlib.Path(sys.executable).parent}:{os.defpath}",
        "HOME": str(work),
        "PYTHONPATH": str(CHECKOUT),
        "TF_USE_LEGACY_KERAS": "1",
        "LANG": "C.UTF-8",
    }
    own = {variable.name: variable.value for variable in container.env}
    with log.open("w", encoding="utf-8") as out:
        return subprocess.run(
            [program, *command[1:]],
            check=False,
            cwd=work,
            env=image_environment | dict(environment) | own,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
        ).returncode


def _collect(execution: Execution, component: Any, outputs: Any) -> None:
    """Reads the executor's output file, and the parameters from their own files
    (`getExecutorOutputFile`, `collectOutputParameters`, `uploadOutputArtifacts`). An entry of the
    executor for its log is ignored.
    """
    executor_output = pb.ExecutorOutput()
    file = pathlib.Path(outputs.output_file)
    if file.exists():
        json_format.Parse(file.read_text(encoding="utf-8"), executor_output)
    for name, listed in outputs.artifacts.items():
        artifact = listed.artifacts[0]
        reported = [] if name == LOGS else executor_output.artifacts[name].artifacts[:1]
        for own in reported:  # mergeRuntimeArtifacts
            artifact.uri = own.uri or artifact.uri
            artifact.metadata.MergeFrom(own.metadata)
        execution.artifacts[name] = executions.record_artifact(name, artifact)
    execution.parameters = dict(executor_output.parameter_values)
    for name, output in outputs.parameters.items():
        kind = component.output_definitions.parameters[name].parameter_type
        file = pathlib.Path(output.output_file)
        execution.parameters.setdefault(name, _value(file, kind)) if file.exists() else None


def _value(file: pathlib.Path, kind: int) -> Any:
    """A parameter's value, by `TextToPbValue`."""
    text = file.read_text(encoding="utf-8")
    if kind == pb.ParameterType.ParameterTypeEnum.Value("STRING"):
        return struct_pb2.Value(string_value=text)
    return json_format.Parse(text.strip().lower(), struct_pb2.Value())
