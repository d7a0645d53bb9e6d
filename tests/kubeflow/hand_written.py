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
    """A component with these input parameters and types; callers add artifacts."""
    declared = {key: {"parameterType": kind} for key, kind in parameters.items()}
    return {"executorLabel": name, "inputDefinitions": {"parameters": declared}}


def task(name: str, *after: str, **more: Any) -> dict[str, Any]:
    """A cached task of the component of the same name, which runs after the tasks `after`."""
    return {
        "taskInfo": {"name": name},
        "componentRef": {"name": name},
        "cachingOptions": {"enableCache": True},
        "dependentTasks": list(after),
        **more,
    }


def constants(**values: Any) -> dict[str, Any]:
    """Constants as inputs of a task."""
    return {"parameters": {k: {"runtimeValue": {"constant": v}} for k, v in values.items()}}


def write_document(
    path: pathlib.Path,
    tasks: dict[str, Any],
    executors: dict[str, Any],
    components: dict[str, Any] | None = None,
    platform: dict[str, Any] | None = None,
    **parameters: Any,
) -> pathlib.Path:
    """Writes a document of one pipeline.

    Args:
        path: The file to write.
        tasks: Tasks of the root DAG, by name.
        executors: Executors by label.
        components: Components by name; each other executor has a component without inputs.
        platform: A PlatformSpec, written as a second document.
        parameters: The run's parameters: InputDefinitions.ParameterSpec by name.
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


def build_executors(read_notes: Any, names: str, code: str = NOTE) -> dict[str, Any]:
    """Executors that write their names to the notes."""
    return {name: container(code, read_notes.file, name) for name in names}
