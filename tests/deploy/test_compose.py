"""docker-compose.yml has only keys of the Compose specification, and names existing files."""

import re

import pytest
import yaml

# The used attributes of https://github.com/compose-spec/compose-spec/blob/main/spec.md.
SERVICE_KEYS = {
    "image", "command", "ports", "volumes", "healthcheck", "read_only", "security_opt",
    "cap_drop", "stop_grace_period", "restart", "depends_on",
}  # fmt: skip
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "retries", "start_period"}


@pytest.fixture(scope="module")
def services(deploy):
    document = yaml.safe_load((deploy / "docker-compose.yml").read_text())
    assert set(document) == {"services"}
    return document["services"]


def test_keys(services):
    for service in services.values():
        assert set(service) <= SERVICE_KEYS
        assert set(service.get("healthcheck", {})) <= HEALTHCHECK_KEYS


def test_images_have_a_version(services):
    for service in services.values():
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", service["image"])


def test_tensorflow_serving_has_the_supported_version(services, container):
    assert services["serving"]["image"] == container["image"] == "tensorflow/serving:2.16.1"


def test_the_arguments_are_those_of_the_cluster(services, container):
    assert set(services["serving"]["command"]) <= set(container["args"])


def test_every_port_is_on_loopback(services):
    ports = [port for service in services.values() for port in service["ports"]]
    assert len(ports) >= 4
    for port in ports:
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)


def test_every_mounted_file_exists_and_is_read_only(services, deploy):
    mounts = [mount for service in services.values() for mount in service["volumes"]]
    files = [mount for mount in mounts if mount.startswith("./")]
    for mount in files:
        source, _, mode = mount.split(":")
        assert (deploy / source).is_file(), source
        assert mode == "ro"
    (models,) = set(mounts) - set(files)
    assert re.fullmatch(r"\$\{TANDEM_SERVING:\?[^}]+\}:/models:ro", models)


def test_files_of_the_arguments_are_mounted(services):
    targets = {mount.rsplit(":", 2)[-2] for mount in services["serving"]["volumes"]}
    arguments = dict(argument.split("=") for argument in services["serving"]["command"])
    for name in ("--model_config_file", "--monitoring_config_file"):
        assert arguments[name] in targets


def test_services_depend_on_services(services):
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)


def test_prometheus_scrapes_the_servers_metrics_path(deploy):
    (job,) = yaml.safe_load((deploy / "prometheus.yml").read_text())["scrape_configs"]
    assert job["metrics_path"] == "/monitoring/prometheus/metrics"
    assert job["static_configs"] == [{"targets": ["serving:8501"]}]


def test_grafana_finds_source_and_dashboard(deploy, services):
    (source,) = yaml.safe_load((deploy / "grafana" / "datasource.yaml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((deploy / "grafana" / "dashboards.yaml").read_text())["providers"]
    folder = provider["options"]["path"]
    assert f"./grafana/tandem.json:{folder}/tandem.json:ro" in services["grafana"]["volumes"]
