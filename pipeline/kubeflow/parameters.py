"""Run-time parameters in a Kubeflow document: their defaults, and their way to each task."""

from collections.abc import Iterator, Mapping
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

IMAGE = "image"
"""The parameter that every task's container image is."""

PARAMETER_TYPE: Any = pipeline_spec_pb2.ParameterType
"""KFP's own: STRING, NUMBER_INTEGER and others."""

_TYPES = {str: PARAMETER_TYPE.STRING, int: PARAMETER_TYPE.NUMBER_INTEGER}


def declare(spec: Any, defaults: Mapping[str, str | int]) -> None:
    """Gives the pipeline its parameters, each with what it is where a run does not set it."""
    for name, value in defaults.items():
        parameter = spec.root.input_definitions.parameters[name]
        parameter.parameter_type = _TYPES[type(value)]
        parameter.is_optional = True
        if isinstance(value, str):
            parameter.default_value.string_value = value
        else:
            parameter.default_value.number_value = value


def take_image_from_run(spec: Any) -> None:
    """Has every container's image be the parameter IMAGE: KFP's driver puts it in from release 2.4
    on (backend/src/v2/driver, `resolvePodSpecInputRuntimeParameter`).
    """
    for executor in spec.deployment_spec["executors"].values():
        executor["container"]["image"] = f"{{{{$.inputs.parameters['{IMAGE}']}}}}"
    for task in tasks(spec):
        component = spec.components[task.component_ref.name]
        if component.executor_label:
            definition = component.input_definitions.parameters[IMAGE]
            definition.parameter_type = PARAMETER_TYPE.STRING
            task.inputs.parameters[IMAGE].component_input_parameter = IMAGE


def pass_down(spec: Any) -> None:
    """A task reads parameters of the DAG it stands in, so an inner DAG must be given those of the
    pipeline; TFX's compiler leaves that out.
    """
    for task in spec.root.dag.tasks.values():
        inner = spec.components[task.component_ref.name]
        for name in {name for each in inner.dag.tasks.values() for name in _read(each)}:
            declared = spec.root.input_definitions.parameters[name]
            inner.input_definitions.parameters[name].parameter_type = declared.parameter_type
            task.inputs.parameters[name].component_input_parameter = name


def tasks(spec: Any) -> Iterator[Any]:
    """Those of the pipeline and of the DAGs in it."""
    for dag in (spec.root.dag, *(component.dag for component in spec.components.values())):
        yield from dag.tasks.values()


def _read(task: Any) -> Iterator[str]:
    for given in task.inputs.parameters.values():
        if given.WhichOneof("kind") == "component_input_parameter":
            yield given.component_input_parameter
