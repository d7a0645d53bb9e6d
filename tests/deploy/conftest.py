"""The folder of deployment files, and its YAML."""

import pathlib

import pytest
import yaml

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture(scope="session")
def deploy() -> pathlib.Path:
    return DEPLOY


@pytest.fixture(scope="session")
def manifests() -> dict[str, dict]:
    """The documents that `kubectl apply -f deploy/kubernetes/` reads, by kind."""
    documents = [
        document
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]
    by_kind = {document["kind"]: document for document in documents}
    assert len(by_kind) == len(documents)
    return by_kind


@pytest.fixture(scope="session")
def container(manifests) -> dict:
    (container,) = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    return container


@pytest.fixture(scope="session")
def canary() -> dict:
    path = DEPLOY / "kubernetes" / "canary" / "configmap.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))
