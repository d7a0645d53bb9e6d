"""The manifests against Kubernetes' own types: read strictly, and fitting one another."""

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


def as_kubernetes_reads(document):
    kind = TYPES[document["apiVersion"], document["kind"]]
    return typed_models.as_read(client.ApiClient(), document, kind)


def test_there_is_one_of_each(manifests):
    assert set(manifests) == {kind for _, kind in TYPES}


def test_every_manifest_is_what_kubernetes_reads(manifests, canary):
    for document in [*manifests.values(), canary]:
        assert as_kubernetes_reads(document) == document


@pytest.mark.parametrize(
    ("key", "value"),
    [("livenesProbe", {}), ("ports", [{"containerPort": "8500"}]), ("tty", "yes")],
)
def test_a_slip_in_a_container_is_seen(manifests, key, value):
    broken = copy.deepcopy(manifests["Deployment"])
    broken["spec"]["template"]["spec"]["containers"][0][key] = value
    assert as_kubernetes_reads(broken) != broken


def test_a_missing_required_key_is_seen(manifests):
    broken = copy.deepcopy(manifests["Deployment"])
    del broken["spec"]["selector"]
    with pytest.raises(ValueError, match="selector"):
        as_kubernetes_reads(broken)


def test_selectors_find_the_pods(manifests):
    deployment = manifests["Deployment"]["spec"]
    assert deployment["selector"]["matchLabels"] == APP
    assert deployment["template"]["metadata"]["labels"] == APP
    assert manifests["Service"]["spec"]["selector"] == APP
    assert manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == APP


def test_the_autoscaler_names_the_deployment_and_alone_says_how_many(manifests):
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


def test_utilisation_is_of_a_cpu_that_is_requested(manifests, container):
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
        asked = container[probe]["httpGet"]
        assert (asked["port"], asked["path"]) == ("rest", "/v1/models/recommender/metadata")
    assert container["livenessProbe"]["tcpSocket"]["port"] in ports


def test_files_of_the_arguments_are_mounted_whole(manifests, container):
    """A file that is mounted by subPath does not change with its ConfigMap."""
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


def test_the_canary_takes_the_place_of_the_config_map(manifests, canary):
    assert canary["metadata"] == manifests["ConfigMap"]["metadata"]
    assert set(canary["data"]) == set(manifests["ConfigMap"]["data"])


def test_labels_and_new_files_are_taken_up_while_it_runs(container):
    assert "--allow_version_labels_for_unavailable_models=true" in container["args"]
    assert any(a.startswith("--model_config_file_poll_wait_seconds=") for a in container["args"])


def test_a_pod_that_ends_answers_until_nobody_calls_it(manifests, container):
    _, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    assert 0 < int(seconds) < pod["terminationGracePeriodSeconds"]


def test_the_container_may_do_nothing_but_serve(manifests, container):
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
    notes = manifests["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert notes == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8501",
        "prometheus.io/path": "/monitoring/prometheus/metrics",
    }
