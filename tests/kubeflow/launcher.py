"""What the launcher does inside the task's container (component/launcher_v2.go)."""

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
from tests.kubeflow.document import Refused, pb
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
    """One pod: `local` stands for its file system, and is empty at the start of each. `attempt`
    counts from 0. Where the task is killed the launcher is as well, and neither its log nor its end
    is told to anybody (`Execute` publishes both at its own end).
    """
    shutil.rmtree(local, ignore_errors=True)
    local.mkdir(parents=True)
    words = driver.command(container, executor_input)
    given = pb.ExecutorInput()
    given.CopyFrom(executor_input)
    for logs in given.outputs.artifacts[LOGS].artifacts:  # qualifyExecutorLogsURI
        logs.uri += f"-{attempt}"
    _make_folders(given)
    outputs = pb.ExecutorInput.Outputs()
    outputs.CopyFrom(given.outputs)
    for name, spec in component.input_definitions.parameters.items():  # addDefaultParams
        if spec.HasField("default_value") and name not in given.inputs.parameter_values:
            given.inputs.parameter_values[name].CopyFrom(spec.default_value)
    image, *command = _resolved([container.image, *words], given)
    if "{{" in image:  # driver.go, resolvePodSpecInputRuntimeParameter
        raise Refused(f"no input parameter of the task is the image {image}")
    log = local / "log.txt"
    code = _run(command, container, log, environment)
    if code == -signal.SIGKILL:  # as the kubelet kills all of a container, the launcher with it
        return Execution(executions.RUNNING, log=log.read_text(errors="replace"))
    _upload_log(log, outputs.artifacts[LOGS].artifacts[0].uri)
    execution = Execution(executions.FAILED, log=log.read_text(errors="replace"))
    if code == 0:
        _collect(execution, component, outputs)
        execution.state = executions.COMPLETE
    return execution


def _make_folders(executor_input: Any) -> None:
    """Those that files are written into (`prepareOutputFolders`). A bucket has none to be made; a
    local folder in its place does.
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
    """However the task has ended (`getLogWriter`, `uploadOutputArtifacts`)."""
    if is_remote(uri):
        object_store.upload_file(log, uri)
    else:
        shutil.copyfile(log, uri)


def _resolved(words: list[str], executor_input: Any) -> list[str]:
    """`compileCmdAndArgs`: the JSON first, then every other placeholder in what has come of it."""
    replaced = {"{{$}}": json.dumps(executions.plain(executor_input))}
    for name, value in executor_input.inputs.parameter_values.items():
        replaced[f"{{{{$.inputs.parameters['{name}']}}}}"] = executions.text(value)
    for name, output in executor_input.outputs.parameters.items():
        replaced[f"{{{{$.outputs.parameters['{name}'].output_file}}}}"] = output.output_file
    for side in ("inputs", "outputs"):
        for name, listed in getattr(executor_input, side).artifacts.items():
            uri = listed.artifacts[0].uri
            replaced[f"{{{{$.{side}.artifacts['{name}'].uri}}}}"] = uri
            if not is_remote(uri):  # KFP's local copy; a folder is its own
                replaced[f"{{{{$.{side}.artifacts['{name}'].path}}}}"] = uri
    for placeholder, value in replaced.items():
        words = [word.replace(placeholder, value) for word in words]
    return words


def _run(
    command: list[str], container: Any, log: pathlib.Path, environment: Mapping[str, str]
) -> int:
    """The image is this interpreter and checkout; nothing of our own environment goes in."""
    program = sys.executable if command[0] in ("python", "python3") else command[0]
    work = log.parent / "work"
    work.mkdir()
    known = {
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
            env=known | dict(environment) | own,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
        ).returncode


def _collect(execution: Execution, component: Any, outputs: Any) -> None:
    """What the executor wrote to its output file, and the parameters in files of their own
    (`getExecutorOutputFile`, `collectOutputParameters`, `uploadOutputArtifacts`). What it says of
    its log counts for nothing.
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
        execution.artifacts[name] = executions.recorded(name, artifact)
    execution.parameters = dict(executor_output.parameter_values)
    for name, output in outputs.parameters.items():
        kind = component.output_definitions.parameters[name].parameter_type
        written = pathlib.Path(output.output_file)
        execution.parameters.setdefault(name, _value(written, kind)) if written.exists() else None


def _value(file: pathlib.Path, kind: int) -> Any:
    """`TextToPbValue`."""
    text = file.read_text(encoding="utf-8")
    if kind == pb.ParameterType.ParameterTypeEnum.Value("STRING"):
        return struct_pb2.Value(string_value=text)
    return json_format.Parse(text.strip().lower(), struct_pb2.Value())
