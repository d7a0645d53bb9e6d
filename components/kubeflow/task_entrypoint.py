"""What a task of Kubeflow Pipelines runs: TFX's entrypoint, given what its component declares, and
with nothing of an earlier attempt where it writes.

TFX's entrypoint imports a class for the type of every artifact that it is given. A self-hosted
backend hands inputs on without their types (`GetOutputArtifactsByExecutionId` in its
backend/src/v2/metadata/client.go leaves the schema "": tensorflow/tfx#7768), and its driver gives
each task an output `executor-logs` of its own, of a type that TFX does not know (`provisionOutputs`
in backend/src/v2/driver/driver.go). So the compiled command holds the component's declarations:
they know the types, and what they do not name is the backend's own and is not shown to TFX.
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
"""What is declared below, and what is Beam's."""
OUTPUTS_FLAG = "--json_serialized_outputs_spec_args"
"""Before the JSON of a ComponentOutputsSpec, as TFX's own flag is before the inputs'."""

TASK_FOLDER = "{task}"


def drop_undeclared(executor_input: Any, inputs_spec: str, outputs_spec: str) -> None:
    """Takes away what the component does not declare, and says the types of what it does; the two
    are JSON of ComponentInputsSpec and ComponentOutputsSpec.

    Where the backend says an input's type, as Vertex does, it stays. The components declare no
    metadata: all keys stay but those without a value, which TFX cannot read.
    """
    inputs = _parse_message(inputs_spec, pipeline_spec_pb2.ComponentInputsSpec())
    outputs = _parse_message(outputs_spec, pipeline_spec_pb2.ComponentOutputsSpec())
    given, made = executor_input.inputs, executor_input.outputs
    _keep_declared(given.artifacts, inputs.artifacts)
    _keep_declared(given.parameter_values, inputs.parameters)
    _keep_declared(made.artifacts, outputs.artifacts)
    _keep_declared(made.parameters, outputs.parameters)
    for name, artifact in _iterate_artifacts(given):
        if not (artifact.type.schema_title or artifact.type.instance_schema):
            artifact.type.CopyFrom(inputs.artifacts[name].artifact_type)
        _drop_null(artifact.metadata)
    for name, artifact in _iterate_artifacts(made):
        artifact.type.CopyFrom(outputs.artifacts[name].artifact_type)
        _drop_null(artifact.metadata)


def _parse_message(text: str, message: Any) -> Any:
    return json_format.Parse(text, message, ignore_unknown_fields=True)


def _keep_declared(given: Any, declared: Any) -> None:
    for name in set(given) - set(declared):
        del given[name]


def _iterate_artifacts(side: Any) -> Iterator[tuple[str, Any]]:
    """By name, of the inputs or the outputs."""
    for name, listed in side.artifacts.items():
        for artifact in listed.artifacts:
            yield name, artifact


def _drop_null(metadata: Any) -> None:
    for key, value in list(metadata.fields.items()):
        if value.WhichOneof("kind") in (None, "null_value"):
            del metadata.fields[key]


def find_task_root(executor_input: Any) -> str:
    """Folder of all that this task of this run writes: that of its outputs, the backend's own
    included; "" where it has none.
    """
    uris = (artifact.uri for _, artifact in _iterate_artifacts(executor_input.outputs))
    return next(uris, "").rpartition("/")[0]


def fill_task_folder(executor_input: Any) -> None:
    """In the place of TASK_FOLDER, with which a parameter begins: what a task writes beside its
    outputs lies in a folder of this run and this task alone, and another run finds the parameter
    as it was, and so its cache.
    """
    folder = find_task_root(executor_input)
    for value in executor_input.inputs.parameter_values.values():
        if value.string_value.startswith(TASK_FOLDER):
            value.string_value = folder + value.string_value.removeprefix(TASK_FOLDER)


def clear_outputs(executor_input: Any) -> None:
    """Removes what an earlier attempt of this task has left: a retry has the same places to write
    to (`retryStrategy` in backend/src/v2/compiler/argocompiler/container.go), and what is read
    later is all that lies there.
    """
    for _, artifact in _iterate_artifacts(executor_input.outputs):
        if is_remote(artifact.uri):
            object_store.remove(artifact.uri)


def parse_arguments(argv: list[str]) -> Arguments:
    """The same as TFX's own and OUTPUTS_FLAG, of which the compiler writes the values."""
    parser = argparse_flags.ArgumentParser()
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", required=True)
    parser.add_argument(OUTPUTS_FLAG, required=True)
    return parser.parse_known_args(argv)


def run(arguments: Arguments) -> None:
    """Executes the component."""
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
