"""Tandem's own server in a cluster: its manifest replaces that of TensorFlow Serving."""

import pytest
import yaml

from pipeline import cli
from tests.deploy import dockerfile
from tests.deploy.conftest import DEPLOY
from tests.deploy.test_kubernetes import round_trip


@pytest.fixture(scope="module")
def own():
    path = DEPLOY / "kubernetes" / "tandem" / "deployment.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def own_container(own):
    (container,) = own["spec"]["template"]["spec"]["containers"]
    return container


@pytest.fixture(scope="module")
def image():
    return dockerfile.read_stages(DEPLOY.parent / "Dockerfile")[-1]


def test_kubernetes_accepts_it(own):
    assert round_trip(own) == own


def test_it_replaces_the_other_deployment(own, manifests):
    other = manifests["Deployment"]
    assert own["metadata"] == other["metadata"]
    for key in ("selector", "strategy"):
        assert own["spec"][key] == other["spec"][key]
    assert own["spec"]["template"]["metadata"] == other["spec"]["template"]["metadata"]


def test_it_has_the_same_ports_and_probes(own_container, container):
    for key in ("ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle"):
        assert own_container[key] == container[key]
    assert own_container["securityContext"] == container["securityContext"]


def test_tandem_accepts_the_arguments(own_container):
    args = cli.build_parser().parse_args(own_container["args"])
    ports = {port["name"]: port["containerPort"] for port in own_container["ports"]}
    assert args.verb == "serve"
    assert (args.grpc_port, args.rest_port) == (ports["grpc"], ports["rest"])
    assert args.host == "0.0.0.0"


def test_it_runs_as_the_images_user_and_writes_where_the_image_does(own, own_container, image):
    context = own["spec"]["template"]["spec"]["securityContext"]
    assert image.values("USER") == [f"{context['runAsUser']}:{context['runAsGroup']}"]
    (writable,) = own_container["volumeMounts"]
    assert writable["mountPath"] == dockerfile.get_environment(image)["HOME"]
    exposed = {int(port) for value in image.values("EXPOSE") for port in value.split()}
    assert exposed == {port["containerPort"] for port in own_container["ports"]}
