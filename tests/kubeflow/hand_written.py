"""Small pipeline documents, written by hand: their containers are one line of Python each."""

import pathlib
from typing import Any

import yaml

FOLDER = {"schemaTitle": "system.Artifact"}
NOTE = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')"
FAIL = NOTE + "; sys.exit(1)"


def container(code: str, *args: str, **more: Any) -> dict[str, Any]:
    """Runs `code`; `args` are its `sys.argv[1:]`."""
    return {"container": {"command": ["python", "-c", code], "args": list(args), **more}}


def component(name: str, **parameters: str) -> dict[str, Any]:
    """With these input parameters, by type; inputs and outputs of any artifact are added."""
    declared = {key: {"parameterType": kind} for key, kind in parameters.items()}
    return {"executorLabel": name, "inputDefinitions": {"parameters": declared}}


def task(name: str, *after: str, **more: Any) -> dict[str, Any]:
    """Of the component of that name, cached, after those tasks."""
    return {
        "taskInfo": {"name": name},
        "componentRef": {"name": name},
        "cachingOptions": {"enableCache": True},
        "dependentTasks": list(after),
        **more,
    }


def constants(**values: Any) -> dict[str, Any]:
    """Inputs of a task."""
    return {"parameters": {k: {"runtimeValue": {"constant": v}} for k, v in values.items()}}


def written(
    path: pathlib.Path,
    tasks: dict[str, Any],
    executors: dict[str, Any],
    components: dict[str, Any] | None = None,
    platform: dict[str, Any] | None = None,
    **parameters: Any,
) -> pathlib.Path:
    """Writes the document; components that are not given take nothing. `parameters` are the run's:
    InputDefinitions.ParameterSpec by name.
    """
    spec = {
        "pipelineInfo": {"name": "by-hand"},
        "schemaVersion": "2.1.0",
        "root": {"dag": {"tasks": tasks}, "inputDefinitions": {"parameters": parameters}},
        "components": {name: component(name) for name in executors} | (components or {}),
        "deploymentSpec": {"executors": executors},
    }
    documents = [spec, platform] if platform else [spec]
    path.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    return path


def noting(noted: Any, names: str, code: str = NOTE) -> dict[str, Any]:
    """Executors, each of which notes its name."""
    return {name: container(code, noted.file, name) for name in names}
