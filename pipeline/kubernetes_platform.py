"""KFP's Kubernetes platform document: what its pipeline spec cannot say of a task's pod.

The fields are those of `KubernetesExecutorConfig` in kubeflow/pipelines,
kubernetes_platform/proto/kubernetes_executor_config.proto, of release 2.5 and later.
"""

from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.config.kubeflow import KubeflowConfig, Resources, Secret
from pipeline.config.kubernetes import SHARED_MEMORY

_PLATFORM = "kubernetes"
_SHARED_MEMORY = {"volumeName": SHARED_MEMORY, "mountPath": "/dev/shm", "medium": "Memory"}


def of(config: KubeflowConfig, executors: dict[str, str]) -> Any:
    """The message, empty where there is nothing to say; `executors` are labels by component."""
    pods = {label: _pod(config, component) for component, label in executors.items()}
    said = {label: pod for label, pod in pods.items() if pod}
    platforms = {_PLATFORM: {"deploymentSpec": {"executors": said}}} if said else {}
    spec: Any = pipeline_spec_pb2.PlatformSpec()
    return json_format.ParseDict({"platforms": platforms}, spec)


def _pod(config: KubeflowConfig, component: str) -> dict[str, Any]:
    resources = config.resources_of(component)
    fields = {
        "podMetadata": {"labels": config.labels} if config.labels else {},
        "imagePullSecret": [
            {"secretNameParameter": _constant(name)} for name in config.image_pull_secrets
        ],
        "secretAsEnv": [_as_env(secret) for secret in config.secrets if secret.env],
        "secretAsVolume": [
            {"secretNameParameter": _constant(secret.name), "mountPath": secret.mount}
            for secret in config.secrets
            if secret.mount
        ],
        "pvcMount": [
            {"pvcNameParameter": _constant(volume.claim), "mountPath": volume.mount}
            for volume in config.volumes
        ],
    }
    return {name: value for name, value in (fields | _node(resources)).items() if value}


def _node(resources: Resources) -> dict[str, Any]:
    shared = resources.shared_memory
    return {
        "nodeSelector": {"labels": resources.node_selector} if resources.node_selector else {},
        "tolerations": [each.model_dump(exclude_none=True) for each in resources.tolerations],
        "emptyDirMounts": [_SHARED_MEMORY | {"sizeLimit": shared}] if shared else [],
    }


def _as_env(secret: Secret) -> dict[str, Any]:
    keys = [{"secretKey": key, "envVar": variable} for variable, key in secret.env.items()]
    return {"secretNameParameter": _constant(secret.name), "keyToEnv": keys}


def _constant(text: str) -> dict[str, Any]:
    return {"runtimeValue": {"constant": text}}
