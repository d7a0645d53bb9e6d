"""What a task of Kubeflow Pipelines runs: TFX's entrypoint, told the types of its inputs, and with
nothing of an earlier attempt where it writes.

A self-hosted backend hands artifacts on without their types (`GetOutputArtifactsByExecutionId` in
its backend/src/v2/metadata/client.go leaves the schema ""), and TFX's entrypoint cannot do without
(tensorflow/tfx#7768). The compiled command holds the component's declaration of its inputs, and
that knows them. Where the backend says the type, as Vertex does, it stays.
"""

import argparse
from typing import Any

from absl import app
from absl.flags import argparse_flags
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

from schema import object_store
from schema.place import is_remote

Arguments = tuple[argparse.Namespace, list[str]]
"""What is declared below, and what is Beam's."""


def add_types(executor_input: Any, inputs_spec: str) -> None:
    """`inputs_spec` is the JSON of a ComponentInputsSpec."""
    declared: Any = pipeline_spec_pb2.ComponentInputsSpec()
    json_format.Parse(inputs_spec, declared, ignore_unknown_fields=True)
    for name, given in executor_input.inputs.artifacts.items():
        for artifact in given.artifacts:
            if not (artifact.type.schema_title or artifact.type.instance_schema):
                artifact.type.CopyFrom(declared.artifacts[name].artifact_type)


def clear_outputs(executor_input: Any) -> None:
    """Removes what an earlier attempt of this task has left: a retry has the same places to write
    to (`retryStrategy` in backend/src/v2/compiler/argocompiler/container.go), and what is read
    later is all that lies there.
    """
    for given in executor_input.outputs.artifacts.values():
        for artifact in given.artifacts:
            if is_remote(artifact.uri):
                object_store.remove(artifact.uri)


def _arguments(argv: list[str]) -> Arguments:
    """The same as TFX's own, of which the compiler writes the values."""
    parser = argparse_flags.ArgumentParser()
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", required=True)
    return parser.parse_known_args(argv)


def _run(arguments: Arguments) -> None:
    known, beam = arguments
    executor_input: Any = pipeline_spec_pb2.ExecutorInput()
    json_format.Parse(
        known.json_serialized_invocation_args, executor_input, ignore_unknown_fields=True
    )
    add_types(executor_input, known.json_serialized_inputs_spec_args)
    clear_outputs(executor_input)
    known.json_serialized_invocation_args = json_format.MessageToJson(executor_input)
    kubeflow_v2_run_executor.main((known, beam))


if __name__ == "__main__":
    app.run(_run, flags_parser=lambda argv: _arguments(argv[1:]))
