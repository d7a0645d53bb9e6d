"""Entrypoint of a task on Kubeflow Pipelines: prepares the arguments of TFX's entrypoint, and
removes the outputs of an earlier attempt.

TFX's entrypoint imports a class for the type of every artifact. A self-hosted backend passes inputs
without their types (`GetOutputArtifactsByExecutionId` in its backend/src/v2/metadata/client.go
leaves the schema "": tensorflow/tfx#7768), and its driver adds an output `executor-logs` to each
task, of a type that TFX does not know (`provisionOutputs` in backend/src/v2/driver/driver.go). The
compiled command therefore includes the component's declarations: they give the types, and
everything that they do not name belongs to the backend and is removed.
"""

import argparse
from collections.abc import Iterator
from typing import Any

from absl import app
from absl.flags import argparse_flags
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

from components.kubeflow.task_record import TaskRecorder
from schema.storage import object_store
from schema.storage.locations import is_remote

Arguments = tuple[argparse.Namespace, list[str]]
"""The arguments declared below, and the remaining ones, which are Beam's."""
OUTPUTS_FLAG = "--json_serialized_outputs_spec_args"
"""Flag of the JSON of ComponentOutputsSpec; TFX has a similar flag for the inputs."""

TASK_FOLDER = "{task}"


def drop_undeclared(executor_input: Any, inputs_spec: str, outputs_spec: str) -> None:
    """Removes inputs and outputs that the component does not declare, and sets the types of the
    others. `inputs_spec` and `outputs_spec` are JSON of ComponentInputsSpec and
    ComponentOutputsSpec.

    An input's type stays if the backend provides one, as Vertex does. The components declare no
    metadata: all keys stay except those without a value, which TFX cannot read.
    """
    declared_inputs = _parse_message(inputs_spec, pipeline_spec_pb2.ComponentInputsSpec())
    declared_outputs = _parse_message(outputs_spec, pipeline_spec_pb2.ComponentOutputsSpec())
    inputs, outputs = executor_input.inputs, executor_input.outputs
    _keep_declared(inputs.artifacts, declared_inputs.artifacts)
    _keep_declared(inputs.parameter_values, declared_inputs.parameters)
    _keep_declared(outputs.artifacts, declared_outputs.artifacts)
    _keep_declared(outputs.parameters, declared_outputs.parameters)
    for name, artifact in _iterate_artifacts(inputs):
        if not (artifact.type.schema_title or artifact.type.instance_schema):
            artifact.type.CopyFrom(declared_inputs.artifacts[name].artifact_type)
        _drop_null(artifact.metadata)
    for name, artifact in _iterate_artifacts(outputs):
        artifact.type.CopyFrom(declared_outputs.artifacts[name].artifact_type)
        _drop_null(artifact.metadata)


def _parse_message(text: str, message: Any) -> Any:
    return json_format.Parse(text, message, ignore_unknown_fields=True)


def _keep_declared(given: Any, declared: Any) -> None:
    for name in set(given) - set(declared):
        del given[name]


def _iterate_artifacts(side: Any) -> Iterator[tuple[str, Any]]:
    """Yields the name and the artifact of all inputs or outputs."""
    for name, listed in side.artifacts.items():
        for artifact in listed.artifacts:
            yield name, artifact


def _drop_null(metadata: Any) -> None:
    for key, value in list(metadata.fields.items()):
        if value.WhichOneof("kind") in (None, "null_value"):
            del metadata.fields[key]


def find_task_root(executor_input: Any) -> str:
    """Returns the folder of all outputs of this task in this run, including the backend's outputs;
    "" if the task has none.
    """
    uris = (artifact.uri for _, artifact in _iterate_artifacts(executor_input.outputs))
    return next(uris, "").rpartition("/")[0]


def fill_task_folder(executor_input: Any) -> None:
    """Replaces TASK_FOLDER at the start of a parameter with the task's folder in this run.

    A task can thus write other files than its outputs into a folder of its own, while the
    parameter, and with it the cache key, stays the same in every run.
    """
    folder = find_task_root(executor_input)
    for value in executor_input.inputs.parameter_values.values():
        if value.string_value.startswith(TASK_FOLDER):
            value.string_value = folder + value.string_value.removeprefix(TASK_FOLDER)


def clear_outputs(executor_input: Any) -> None:
    """Removes the outputs of an earlier attempt of this task: a retry writes to the same locations
    (`retryStrategy` in backend/src/v2/compiler/argocompiler/container.go), and later tasks read all
    files there.
    """
    for _, artifact in _iterate_artifacts(executor_input.outputs):
        if is_remote(artifact.uri):
            object_store.remove(artifact.uri)


def parse_arguments(argv: list[str]) -> Arguments:
    """Parses TFX's arguments and OUTPUTS_FLAG; the compiler writes their values."""
    parser = argparse_flags.ArgumentParser()
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", required=True)
    parser.add_argument(OUTPUTS_FLAG, required=True)
    return parser.parse_known_args(argv)


def run(arguments: Arguments) -> None:
    """Runs the component and records how it ended."""
    known, beam = arguments
    executor_input = _parse_message(
        known.json_serialized_invocation_args, pipeline_spec_pb2.ExecutorInput()
    )
    with TaskRecorder(find_task_root(executor_input)):
        drop_undeclared(
            executor_input,
            known.json_serialized_inputs_spec_args,
            known.json_serialized_outputs_spec_args,
        )
        clear_outputs(executor_input)
        fill_task_folder(executor_input)
        known.json_serialized_invocation_args = json_format.MessageToJson(executor_input)
        kubeflow_v2_run_executor.main((known, beam))


if __name__ == "__main__":
    app.run(run, flags_parser=lambda argv: parse_arguments(argv[1:]))
