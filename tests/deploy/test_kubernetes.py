"""The manifests are valid by Kubernetes' own types, and consistent with each other."""

import copy

import pytest
from kubernetes import client

from tests.deploy import typed_models

TYPES = {
    ("v1", "ConfigMap"): "V1ConfigMap",
    ("v1", "Service"): "V1Service",
    ("apps/v1", "Deployment"): "V1Deployment",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "V2HorizontalPodAutoscaler",
    ("policy/v1", "PodDisruptionBudget"): "V1PodDisruptionBudget",
}
APP = {"app.kubernetes.io/name": "tandem-serving"}


def round_trip(document):
    kind = TYPES[document["apiVersion"], document["kind"]]
    return typed_models.round_trip(client.ApiClient(), document, kind)


def test_there_is_one_of_each(manifests):
    assert set(manifests) == {kind for _, kind in TYPES}


def test_kubernetes_accepts_every_manifest(manifests, canary):
    for document in [*manifests.values(), canary]:
        assert round_trip(document) == document


@pytest.mark.parametrize(
    ("key", "value"),
    [("livenesProbe", {}), ("ports", [{"containerPort": "8500"}]), ("tty", "yes")],
)
def test_an_error_in_a_container_is_detected(manifests, key, value):
    broken = copy.deepcopy(manifests["Deployment"])
    broken["spec"]["template"]["spec"]["containers"][0][key] = value
    assert round_trip(broken) != broken


def test_a_missing_required_key_is_detected(manifests):
    broken = copy.deepcopy(manifests["Deployment"])
    del broken["spec"]["selector"]
    with pytest.raises(ValueError, match="selector"):
        round_trip(broken)


def test_selectors_find_the_pods(manifests):
    deployment = manifests["Deployment"]["spec"]
    assert deployment["selector"]["matchLabels"] == APP
    assert deployment["template"]["metadata"]["labels"] == APP
    assert manifests["Service"]["spec"]["selector"] == APP
    assert manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == APP


def test_only_the_autoscaler_sets_the_number_of_replicas(manifests):
    deployment = manifests["Deployment"]
    scaler = manifests["HorizontalPodAutoscaler"]["spec"]
    assert scaler["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "name": deployment["metadata"]["name"],
    }
    assert "replicas" not in deployment["spec"]
    budget = manifests["PodDisruptionBudget"]["spec"]["minAvailable"]
    assert budget < scaler["minReplicas"] <= scaler["maxReplicas"]


def test_the_autoscaler_uses_a_requested_resource(manifests, container):
    (metric,) = manifests["HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert metric["resource"]["name"] in container["resources"]["requests"]
    assert "memory" in container["resources"]["limits"]


def test_services_and_probes_name_ports_that_the_server_opens(manifests, container):
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert f"--port={ports['grpc']}" in container["args"]
    assert f"--rest_api_port={ports['rest']}" in container["args"]
    service = {port["targetPort"]: port["port"] for port in manifests["Service"]["spec"]["ports"]}
    assert service == ports
    for probe in ("startupProbe", "readinessProbe"):
        request = container[probe]["httpGet"]
        assert (request["port"], request["path"]) == ("rest", "/v1/models/recommender/metadata")
    assert container["livenessProbe"]["tcpSocket"]["port"] in ports


def test_files_of_the_arguments_are_mounted_without_subpath(manifests, container):
    """A file mounted by subPath would not change with its ConfigMap."""
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert not any("subPath" in mount for mount in mounts.values())
    volumes = {v["name"]: v for v in manifests["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert set(mounts) == set(volumes)
    config = manifests["ConfigMap"]
    assert volumes["config"]["configMap"]["name"] == config["metadata"]["name"]
    for file in config["data"]:
        flag = {"models.config": "model_config_file", "monitoring.config": "monitoring_config_file"}
        assert f"--{flag[file]}={mounts['config']['mountPath']}/{file}" in container["args"]
    assert mounts["models"]["mountPath"] == "/models"


def test_the_canary_replaces_the_config_map(manifests, canary):
    assert canary["metadata"] == manifests["ConfigMap"]["metadata"]
    assert set(canary["data"]) == set(manifests["ConfigMap"]["data"])


def test_the_running_server_reads_new_files_and_labels(container):
    assert "--allow_version_labels_for_unavailable_models=true" in container["args"]
    assert any(a.startswith("--model_config_file_poll_wait_seconds=") for a in container["args"])


def test_a_terminating_pod_still_answers_for_some_seconds(manifests, container):
    _, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    assert 0 < int(seconds) < pod["terminationGracePeriodSeconds"]


def test_the_container_has_no_further_privileges(manifests, container):
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all(mount["readOnly"] for mount in container["volumeMounts"])


def test_prometheus_finds_the_metrics(manifests):
    annotations = manifests["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8501",
        "prometheus.io/path": "/monitoring/prometheus/metrics",
    }
