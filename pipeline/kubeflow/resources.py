"""Applies `[kubeflow]` to each task: in KFP's pipeline spec where that has fields for it, otherwise
in KFP's Kubernetes platform document.

The fields of the latter are those of `KubernetesExecutorConfig` in kubeflow/pipelines,
kubernetes_platform/proto/kubernetes_executor_config.proto, of release 2.5 and later.
"""

from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.config.kubeflow import KubeflowConfig, Resources, Retries, Secret
from pipeline.config.kubernetes import SHARED_MEMORY, parse_quantity
from pipeline.kubeflow.parameters import iterate_tasks
from schema.errors import ConfigError

_EXECUTORS: Any = pipeline_spec_pb2.PipelineDeploymentConfig
_PLATFORM = "kubernetes"
_SHARED_MEMORY = {"volumeName": SHARED_MEMORY, "mountPath": "/dev/shm", "medium": "Memory"}


def configure_tasks(spec: Any, config: KubeflowConfig) -> None:
    """Sets resources, retries and caching of every task.

    Raises ConfigError if `config` names a component that does not exist.
    """
    labels = map_executors(spec)
    unknown = sorted(config.components - set(labels))
    if unknown:
        raise ConfigError(
            f"kubeflow: expected default or a component, one of {', '.join(sorted(labels))}; "
            f"received {unknown[0]!r}; fix the name in [kubeflow.resources], retries or caching"
        )
    for component, label in labels.items():
        resources = _build_resources(config.get_resources(component))
        if resources:
            spec.deployment_spec["executors"][label]["container"].update({"resources": resources})
    for task in iterate_tasks(spec):
        if task.component_ref.name in labels:
            _configure_task(task, config)


def set_environment(spec: Any, variables: dict[str, str]) -> None:
    """Sets environment variables in the container of every task."""
    listed = [{"name": name, "value": value} for name, value in variables.items()]
    for label in map_executors(spec).values() if listed else ():
        spec.deployment_spec["executors"][label]["container"].update({"env": listed})


def map_executors(spec: Any) -> dict[str, str]:
    """The label of the executor by component."""
    return {
        name: component.executor_label
        for name, component in spec.components.items()
        if component.executor_label
    }


def _configure_task(task: Any, config: KubeflowConfig) -> None:
    component = task.component_ref.name
    retries = config.get_retries(component)
    if retries.count:
        json_format.ParseDict(_build_retry_policy(retries), task.retry_policy)
    if not config.is_cached(component):
        task.caching_options.enable_cache = False


def _build_resources(resources: Resources) -> dict[str, Any]:
    """Cores, and memory in KFP's units of 10^9 bytes (backend/src/v2/driver: `"%vG"`)."""
    gigabyte = 10**9
    fields = {
        "cpuRequest": _convert_quantity(1, resources.cpu_request),
        "cpuLimit": _convert_quantity(1, resources.cpu_limit),
        "memoryRequest": _convert_quantity(gigabyte, resources.memory_request),
        "memoryLimit": _convert_quantity(gigabyte, resources.memory_limit),
        "accelerator": resources.accelerator and resources.accelerator.model_dump(),
    }
    specified = {name: value for name, value in fields.items() if value is not None}
    return json_format.MessageToDict(
        json_format.ParseDict(specified, _EXECUTORS.PipelineContainerSpec.ResourceSpec())
    )


def _convert_quantity(unit: int, quantity: str | None) -> float | None:
    return None if quantity is None else float(parse_quantity(quantity) / unit)


def _build_retry_policy(retries: Retries) -> dict[str, Any]:
    """Sets all four fields, because KFP's backend reads an absent one as 0."""
    return {
        "maxRetryCount": retries.count,
        "backoffDuration": f"{retries.wait_seconds}s",
        "backoffFactor": retries.wait_factor,
        "backoffMaxDuration": f"{retries.wait_at_most_seconds}s",
    }


def build_platform(config: KubeflowConfig, executors: dict[str, str]) -> Any:
    """The platform document, empty if no task needs one; `executors` are labels by component."""
    pods = {label: _build_pod(config, component) for component, label in executors.items()}
    specified = {label: pod for label, pod in pods.items() if pod}
    platforms = {_PLATFORM: {"deploymentSpec": {"executors": specified}}} if specified else {}
    spec: Any = pipeline_spec_pb2.PlatformSpec()
    return json_format.ParseDict({"platforms": platforms}, spec)


def _build_pod(config: KubeflowConfig, component: str) -> dict[str, Any]:
    resources = config.get_resources(component)
    fields = {
        "podMetadata": {"labels": config.labels} if config.labels else {},
        "imagePullSecret": [
            {"secretNameParameter": _build_constant(name)} for name in config.image_pull_secrets
        ],
        "secretAsEnv": [_build_secret_env(secret) for secret in config.secrets if secret.env],
        "secretAsVolume": [
            {"secretNameParameter": _build_constant(secret.name), "mountPath": secret.mount}
            for secret in config.secrets
            if secret.mount
        ],
        "pvcMount": [
            {"pvcNameParameter": _build_constant(volume.claim), "mountPath": volume.mount}
            for volume in config.volumes
        ],
    }
    return {
        name: value for name, value in (fields | _build_node_fields(resources)).items() if value
    }


def _build_node_fields(resources: Resources) -> dict[str, Any]:
    shared = resources.shared_memory
    return {
        "nodeSelector": {"labels": resources.node_selector} if resources.node_selector else {},
        "tolerations": [each.model_dump(exclude_none=True) for each in resources.tolerations],
        "emptyDirMounts": [_SHARED_MEMORY | {"sizeLimit": shared}] if shared else [],
    }


def _build_secret_env(secret: Secret) -> dict[str, Any]:
    keys = [{"secretKey": key, "envVar": variable} for variable, key in secret.env.items()]
    return {"secretNameParameter": _build_constant(secret.name), "keyToEnv": keys}


def _build_constant(text: str) -> dict[str, Any]:
    return {"runtimeValue": {"constant": text}}
