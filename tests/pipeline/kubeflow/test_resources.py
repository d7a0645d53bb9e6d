"""Settings of tasks in KFP's pipeline spec and in its Kubernetes platform document."""

import copy
from typing import Any

import pytest
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.config.kubeflow import KubeflowConfig
from pipeline.kubeflow.resources import build_platform, configure_tasks, map_executors
from schema.errors import ConfigError

KFP: Any = kubernetes_executor_config_pb2

# A trainer in an inner DAG, with an exit handler outside, as nested by TFX.
SPEC: dict[str, Any] = {
    "components": {
        "inner": {
            "dag": {
                "tasks": {
                    "Trainer": {
                        "componentRef": {"name": "Trainer"},
                        "cachingOptions": {"enableCache": True},
                    },
                    "Pusher": {
                        "componentRef": {"name": "Pusher"},
                        "cachingOptions": {"enableCache": True},
                    },
                }
            }
        },
        "Trainer": {"executorLabel": "exec-trainer"},
        "Pusher": {"executorLabel": "exec-pusher"},
    },
    "deploymentSpec": {
        "executors": {
            "exec-trainer": {"container": {"image": "i"}},
            "exec-pusher": {"container": {"image": "i"}},
        }
    },
    "root": {"dag": {"tasks": {"inner": {"componentRef": {"name": "inner"}}}}},
}


# The default: the memory for importing TFX and a quarter more, in units of 10^9 bytes.
MEASURED = copy.deepcopy(SPEC)
for each in MEASURED["deploymentSpec"]["executors"].values():
    each["container"]["resources"] = {"memoryRequest": 1.0}


def build_documents(**message) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two documents as JSON values."""
    config = KubeflowConfig.model_validate(message)
    spec: Any = pipeline_spec_pb2.PipelineSpec()
    json_format.ParseDict(SPEC, spec)
    configure_tasks(spec, config)
    platform = build_platform(config, map_executors(spec))
    return json_format.MessageToDict(spec), json_format.MessageToDict(platform)


def pods(platform: dict[str, Any]) -> dict[str, Any]:
    """Settings of each executor's pod, after parsing into KFP's own message."""
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for pod in executors.values():
        message = KFP.KubernetesExecutorConfig()
        json_format.ParseDict(pod, message)
        assert json_format.MessageToDict(message) == pod
    return executors


def test_by_default_each_task_gets_its_measured_memory():
    assert build_documents() == (MEASURED, {})


def test_resources_are_set_on_their_container():
    spec, platform = build_documents(
        resources={
            "default": {"cpu_request": "500m", "memory_limit": "4Gi"},
            "Trainer": {
                "cpu_limit": "4",
                "memory_request": "2G",
                "accelerator": {"type": "nvidia.com/gpu", "count": 2},
            },
        }
    )
    executors = spec["deploymentSpec"]["executors"]
    pusher = {"cpuRequest": 0.5, "memoryLimit": 4 * 2**30 / 10**9, "memoryRequest": 1.0}
    assert executors["exec-pusher"]["container"]["resources"] == pusher
    assert executors["exec-trainer"]["container"]["resources"] == pusher | {
        "cpuLimit": 4.0,
        "memoryRequest": 2.0,
        "accelerator": {"type": "nvidia.com/gpu", "count": "2"},
    }
    json_format.ParseDict(spec["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())  # pyright: ignore[reportArgumentType]
    assert platform == {}


def test_retries_and_caching_are_set_on_their_task():
    spec, _ = build_documents(
        retries={"Trainer": {"count": 3, "wait_seconds": 30}}, caching={"Pusher": False}
    )
    tasks = spec["components"]["inner"]["dag"]["tasks"]
    assert tasks["Trainer"]["retryPolicy"] == {
        "maxRetryCount": 3,
        "backoffDuration": "30s",
        "backoffFactor": 2.0,
        "backoffMaxDuration": "604800s",
    }
    assert tasks["Trainer"]["cachingOptions"] == {"enableCache": True}
    assert "retryPolicy" not in tasks["Pusher"]
    assert tasks["Pusher"]["cachingOptions"] == {}
    assert "retryPolicy" not in spec["root"]["dag"]["tasks"]["inner"]


def test_settings_outside_the_pipeline_spec_are_set_on_the_pod():
    spec, platform = build_documents(
        labels={"team": "shop"},
        image_pull_secrets=["registry"],
        secrets=[
            {"name": "s3", "env": {"AWS_ACCESS_KEY_ID": "access"}},
            {"name": "gcp", "mount": "/secrets/gcp"},
        ],
        volumes=[{"claim": "logs", "mount": "/data"}],
        resources={
            "Trainer": {
                "shared_memory": "2Gi",
                "node_selector": {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"},
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
            }
        },
    )
    assert spec == MEASURED
    every = {
        "podMetadata": {"labels": {"team": "shop"}},
        "imagePullSecret": [{"secretNameParameter": {"runtimeValue": {"constant": "registry"}}}],
        "secretAsEnv": [
            {
                "secretNameParameter": {"runtimeValue": {"constant": "s3"}},
                "keyToEnv": [{"secretKey": "access", "envVar": "AWS_ACCESS_KEY_ID"}],
            }
        ],
        "secretAsVolume": [
            {
                "secretNameParameter": {"runtimeValue": {"constant": "gcp"}},
                "mountPath": "/secrets/gcp",
            }
        ],
        "pvcMount": [
            {"pvcNameParameter": {"runtimeValue": {"constant": "logs"}}, "mountPath": "/data"}
        ],
    }
    assert pods(platform) == {
        "exec-pusher": every,
        "exec-trainer": every
        | {
            "nodeSelector": {"labels": {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"}},
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
            "emptyDirMounts": [
                {
                    "volumeName": "shared-memory",
                    "mountPath": "/dev/shm",
                    "medium": "Memory",
                    "sizeLimit": "2Gi",
                }
            ],
        },
    }


def test_the_pod_of_one_component_does_not_affect_another():
    _, platform = build_documents(resources={"Trainer": {"shared_memory": "1Gi"}})
    assert set(pods(platform)) == {"exec-trainer"}


@pytest.mark.parametrize("section", ["resources", "retries"])
def test_a_component_that_does_not_exist_is_named(section):
    with pytest.raises(ConfigError, match=r"one of Pusher, Trainer; received 'Tainer'"):
        build_documents(**{section: {"Tainer": {}}})


def test_caching_of_a_component_that_does_not_exist():
    with pytest.raises(ConfigError, match="received 'Tainer'"):
        build_documents(caching={"Tainer": False})
