"""The files of deploy/kubeflow/, and the commands of docs/KUBEFLOW.md that use them."""

import pathlib
import re

import pytest
import tomli
import yaml

from pipeline.config.config import load_config
from tests.deploy.conftest import DEPLOY
from tests.deploy.test_kubernetes import round_trip

ROOT = DEPLOY.parent
SECRET = "tandem-store"


@pytest.fixture(scope="module")
def launcher():
    return yaml.safe_load((DEPLOY / "kubeflow" / "kfp-launcher.yaml").read_text())


@pytest.fixture(scope="module")
def store(launcher):
    """Settings of s3:// for KFP's own programs."""
    return yaml.safe_load(launcher["data"]["providers"])["s3"]["default"]


@pytest.fixture(scope="module")
def document():
    return re.sub(r"\\\n\s*", " ", (ROOT / "docs" / "KUBEFLOW.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def secret(document):
    """The values that the document stores in the Secret."""
    (command,) = re.findall(rf"kubectl create secret generic {SECRET} .*", document)
    return dict(re.findall(r"--from-literal=(\w+)=(\S+)", command))


def read_own_container():
    path = DEPLOY / "kubernetes" / "tandem" / "deployment.yaml"
    (container,) = yaml.safe_load(path.read_text())["spec"]["template"]["spec"]["containers"]
    return container


def test_kubernetes_accepts_the_config_map(launcher):
    assert round_trip(launcher) == launcher


def test_kfp_supports_all_settings(store):
    """S3ProviderDefault, S3Credentials and S3SecretRef of KFP's backend/src/v2/config/s3.go."""
    assert set(store) <= {
        "endpoint", "credentials", "region", "disableSSL", "forcePathStyle", "maxRetries",
    }  # fmt: skip
    assert set(store["credentials"]) == {"fromEnv", "secretRef"}
    assert set(store["credentials"]["secretRef"]) == {"secretName", "accessKeyKey", "secretKeyKey"}


def test_kfp_tasks_and_the_server_use_one_secret_and_one_bucket(launcher, store, secret, document):
    keys = store["credentials"]["secretRef"]
    assert keys["secretName"] == SECRET
    assert {keys["accessKeyKey"], keys["secretKeyKey"]} < set(secret)
    scheme = "http" if store["disableSSL"] else "https"
    assert secret["AWS_ENDPOINT_URL"] == f"{scheme}://{store['endpoint']}"
    assert secret["AWS_DEFAULT_REGION"] == store["region"]
    container = read_own_container()
    assert container["envFrom"] == [{"secretRef": {"name": SECRET}}]
    (root,) = {root for root in re.findall(r"tandem compile .*--root (\S+)", document)
               if root.startswith("s3://mlpipeline/")}  # fmt: skip
    assert launcher["data"]["defaultPipelineRoot"] == f"{root}/artifacts"
    assert f"--root={root}" in container["args"]


def test_the_configuration_passes_the_whole_secret_to_every_task(secret, tmp_path):
    path = tmp_path / "shop.toml"
    store_toml = (DEPLOY / "kubeflow" / "store.toml").read_text()
    path.write_text((ROOT / "configs" / "simulated.toml").read_text() + store_toml)
    (store_secret,) = load_config(path).kubeflow.secrets
    assert store_secret.name == SECRET
    assert store_secret.env == {name: name for name in secret}


def test_every_file_that_the_document_names_exists(document):
    files = set(re.findall(r"(?<!/)\b(?:deploy|configs)/[\w./-]*\w", document))
    assert len(files) >= 4
    for name in files:
        assert (ROOT / name).exists(), name


def test_toml_of_the_document_is_a_configuration(document, tmp_path):
    blocks = re.findall(r"^```toml\n(.*?)^```", document, re.DOTALL | re.MULTILINE)
    assert blocks
    for block in blocks:
        tomli.loads(block)
        path = pathlib.Path(tmp_path, "shop.toml")
        path.write_text((ROOT / "configs" / "simulated.toml").read_text() + "\n" + block)
        load_config(path)
