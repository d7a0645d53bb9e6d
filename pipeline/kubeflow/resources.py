"""What `[kubeflow]` says of tasks, put into KFP's pipeline spec as far as it has words for it."""

from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline import quantity
from pipeline.config.kubeflow import KubeflowConfig, Resources, Retries
from pipeline.kubeflow import parameters
from schema.errors import ConfigError

_EXECUTORS: Any = pipeline_spec_pb2.PipelineDeploymentConfig


def settle(spec: Any, config: KubeflowConfig) -> None:
    """Gives every task its resources, retries and caching.

    Raises ConfigError where `config` speaks of a component that there is not.
    """
    labels = executors(spec)
    unknown = sorted(config.components - set(labels))
    if unknown:
        raise ConfigError(
            f"kubeflow: expected default or a component, one of {', '.join(sorted(labels))}; "
            f"received {unknown[0]!r}; fix the name in [kubeflow.resources], retries or caching"
        )
    for component, label in labels.items():
        resources = _resources(config.resources_of(component))
        if resources:
            spec.deployment_spec["executors"][label]["container"].update({"resources": resources})
    for task in parameters.tasks(spec):
        if task.component_ref.name in labels:
            _settle_task(task, config)


def executors(spec: Any) -> dict[str, str]:
    """The label of its executor by component."""
    return {
        name: component.executor_label
        for name, component in spec.components.items()
        if component.executor_label
    }


def _settle_task(task: Any, config: KubeflowConfig) -> None:
    component = task.component_ref.name
    retries = config.retries_of(component)
    if retries.count:
        json_format.ParseDict(_retry_policy(retries), task.retry_policy)
    if not config.is_cached(component):
        task.caching_options.enable_cache = False


def _resources(wanted: Resources) -> dict[str, Any]:
    """KFP counts memory in units of 10^9 bytes (backend/src/v2/driver: `"%vG"`)."""
    gigabyte = 10**9
    found = {
        "cpuRequest": _in(1, wanted.cpu_request),
        "cpuLimit": _in(1, wanted.cpu_limit),
        "memoryRequest": _in(gigabyte, wanted.memory_request),
        "memoryLimit": _in(gigabyte, wanted.memory_limit),
        "accelerator": wanted.accelerator and wanted.accelerator.model_dump(),
    }
    said = {name: value for name, value in found.items() if value is not None}
    return json_format.MessageToDict(
        json_format.ParseDict(said, _EXECUTORS.PipelineContainerSpec.ResourceSpec())
    )


def _in(unit: int, wanted: str | None) -> float | None:
    return None if wanted is None else float(quantity.number(wanted) / unit)


def _retry_policy(retries: Retries) -> dict[str, Any]:
    """All four, for KFP's backend takes what is left out for 0."""
    return {
        "maxRetryCount": retries.count,
        "backoffDuration": f"{retries.wait_seconds}s",
        "backoffFactor": retries.wait_factor,
        "backoffMaxDuration": f"{retries.wait_at_most_seconds}s",
    }
