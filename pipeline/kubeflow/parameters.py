"""Run parameters of a Kubeflow document: their defaults, how tasks receive them, and the values of
`--param name=value`, which are checked before a run starts.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2
from pydantic import ValidationError

from schema.errors import UsageError
from schema.sources import SPAN_PATTERN
from schema.storage.locations import READABLE_SCHEMES, parse_task_location
from trainer.config.blessing import THRESHOLDS

IMAGE = "image"
"""The run parameter for the container image of every task."""
PARAMETER_TYPE: Any = pipeline_spec_pb2.ParameterType
"""KFP's own: STRING, NUMBER_INTEGER and others."""
_TYPES = {str: PARAMETER_TYPE.STRING, int: PARAMETER_TYPE.NUMBER_INTEGER}
# KFP's scheduler replaces it with the time; [[ScheduledTime.2006-01-02]] has Go's layout of a date:
# backend/src/common/util/parameter_formatter.go, of release 2.16 and later.
_SCHEDULED_TIME = r"\[\[(ScheduledTime|CurrentTime)(\..+)?\]\]"


def declare_parameters(spec: Any, defaults: Mapping[str, str | int]) -> None:
    """Declares the pipeline's parameters, with `defaults` for runs that do not set them."""
    for name, value in defaults.items():
        parameter = spec.root.input_definitions.parameters[name]
        parameter.parameter_type = _TYPES[type(value)]
        parameter.is_optional = True
        if isinstance(value, str):
            parameter.default_value.string_value = value
        else:
            parameter.default_value.number_value = value


def parameterize_image(spec: Any) -> None:
    """Makes every container's image the parameter IMAGE, which KFP's driver inserts from release
    2.4 on (backend/src/v2/driver, `resolvePodSpecInputRuntimeParameter`).
    """
    for executor in spec.deployment_spec["executors"].values():
        executor["container"]["image"] = f"{{{{$.inputs.parameters['{IMAGE}']}}}}"
    for task in iterate_tasks(spec):
        component = spec.components[task.component_ref.name]
        if component.executor_label:
            definition = component.input_definitions.parameters[IMAGE]
            definition.parameter_type = PARAMETER_TYPE.STRING
            task.inputs.parameters[IMAGE].component_input_parameter = IMAGE


def pass_parameters(spec: Any) -> None:
    """Passes the pipeline's parameters to inner DAGs: a task can only read parameters of its own
    DAG, and TFX's compiler does not pass them on.
    """
    for task in spec.root.dag.tasks.values():
        inner = spec.components[task.component_ref.name]
        for name in {name for each in inner.dag.tasks.values() for name in _iterate_inputs(each)}:
            declared = spec.root.input_definitions.parameters[name]
            inner.input_definitions.parameters[name].parameter_type = declared.parameter_type
            task.inputs.parameters[name].component_input_parameter = name


def iterate_tasks(spec: Any) -> Iterator[Any]:
    """Iterates over the tasks of the pipeline and of its inner DAGs."""
    for dag in (spec.root.dag, *(component.dag for component in spec.components.values())):
        yield from dag.tasks.values()


def _iterate_inputs(task: Any) -> Iterator[str]:
    for parameter in task.inputs.parameters.values():
        if parameter.WhichOneof("kind") == "component_input_parameter":
            yield parameter.component_input_parameter


def parse_parameters(arguments: Iterable[str], declared: Mapping[str, Any]) -> dict[str, str | int]:
    """Values by name from arguments `name=value`; `declared` are the parameters of the document.

    Raises UsageError for an undeclared name, and for a value that its parameter does not allow.
    """
    values: dict[str, str | int] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals:
            raise UsageError(
                f"--param expects name=value, received {argument!r}; write it in that form"
            )
        if name not in declared:
            raise UsageError(
                f"--param expects one of {', '.join(sorted(declared))}, received {name!r}; "
                "set one of these"
            )
        values[name] = _parse_value(name, text, declared[name].parameter_type)
    return values


def _parse_value(name: str, text: str, kind: int) -> str | int:
    if kind == PARAMETER_TYPE.NUMBER_INTEGER:
        return _parse_whole_number(name, text)
    _CHECKS.get(name, _check_text)(name, text)
    return _parse_data(text) if name == "data" else text


def _parse_whole_number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text) or int(text) < 1:
        raise _build_error(name, "a whole number above 0", text)
    return int(text)


def _check_span(name: str, text: str) -> None:
    if text and not re.fullmatch(f"{SPAN_PATTERN}|{_SCHEDULED_TIME}", text):
        raise _build_error(name, "a span such as 2024-01-31 or 7", text)


def _check_thresholds(name: str, text: str) -> None:
    try:
        THRESHOLDS.validate_json(text)
    except ValidationError as error:
        detail = error.errors()[0]["msg"].removeprefix("Value error, ")
        example = '[{"metric": "ndcg@10", "at_least": 0.1}]'
        raise _build_error(
            name, f"JSON of blessing.thresholds such as {example}", text, detail
        ) from error


def _parse_data(text: str) -> str:
    try:
        return parse_task_location(text, READABLE_SCHEMES)
    except UsageError as error:
        raise UsageError(f"--param data: {error}") from error


def _check_text(name: str, text: str) -> None:
    if not text or re.search(r"\s", text):
        raise _build_error(name, "a value without spaces", text)


def _build_error(name: str, expected: str, received: str, detail: str = "") -> UsageError:
    suffix = f" ({detail})" if detail else ""
    return UsageError(f"--param {name}: expected {expected}, received {received!r}{suffix}")


_CHECKS: dict[str, Callable[[str, str], None]] = {
    "span": _check_span,
    "thresholds": _check_thresholds,
}
