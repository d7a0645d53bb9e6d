"""Volumes that a pod can have in addition to those of KFP, Argo and the image."""

import pytest
from pydantic import ValidationError

from pipeline.config.kubeflow import KubeflowConfig
from pipeline.config.kubernetes import check_mount_path, check_volume_name

LONGEST = "a" * 63
DATA = {"claim": "data", "mount": "/data"}


def refused(**config) -> str:
    """The message of the only error."""
    with pytest.raises(ValidationError) as error:
        KubeflowConfig.model_validate(config)
    (one,) = error.value.errors()
    return one["msg"].removeprefix("Value error, ")


@pytest.mark.parametrize("name", ["data", "7", "my-data", LONGEST])
def test_a_volume_is_called_by_a_label_of_dns(name):
    assert check_volume_name(name) == name


@pytest.mark.parametrize("name", ["my.data", LONGEST + "a", "", "-data", "data-", "Data", "da_ta"])
def test_invalid_claims_and_mounted_secrets_are_refused(name):
    sentence = refused(volumes=[{"claim": name, "mount": "/data"}])
    assert sentence.startswith("expected at most 63 characters of a to z, 0 to 9 and dashes")
    assert f"received {name!r}; use another name" in sentence


def test_a_secret_may_have_a_dot_unless_it_is_mounted():
    env = {"name": "shop.store", "env": {"KEY": "key"}}
    assert KubeflowConfig.model_validate({"secrets": [env]}).secrets[0].name == "shop.store"
    assert "received 'shop.store'" in refused(secrets=[env | {"mount": "/keys"}])


@pytest.mark.parametrize("name", ["s3-scratch", "kfp-launcher", "tmp-dir-argo", "shared-memory"])
def test_a_volume_that_every_pod_has_is_no_claim(name):
    sentence = f"received {name!r}; rename it"
    assert sentence in refused(volumes=[{"claim": name, "mount": "/data"}])
    assert sentence in refused(secrets=[{"name": name, "mount": "/data"}])


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/s3", "/s3 (KFP's)"), ("/s3/shop", "/s3 "), ("/gcs/", "/gcs "),
        ("/minio", "/minio "), ("/tmp", "/tmp (each task's own)"),
        ("/tmp/x", "/tmp "), ("/var/run/argo/x", "/var/run/argo (Argo's)"),
        ("/var", "/var/run/argo "), ("/opt", "/opt/tandem (the image's)"), ("/usr", "/usr/"),
        ("/dev/shm", "/dev "), ("/kfp", "/kfp/certs "),
    ],
)  # fmt: skip
def test_a_folder_that_a_pod_needs_cannot_be_a_mount(path, folder):
    sentence = refused(volumes=[{"claim": "data", "mount": path}])
    assert f"neither {folder}" in sentence
    assert f"received {path!r}" in sentence


@pytest.mark.parametrize(
    "path", ["/", "", "data", "/data//x", "/data/../x", "/a/./b", "/a:b", "~/x"]
)
def test_a_mount_is_an_absolute_path(path):
    sentence = refused(volumes=[{"claim": "data", "mount": path}])
    assert sentence.startswith("expected an absolute path of a folder")
    assert f"received {path!r}" in sentence


@pytest.mark.parametrize("path", ["/data", "/s3x", "/data/s3", "/var/data", "/opt/data", "/a b"])
def test_other_folders_are_free(path):
    assert check_mount_path(path) == path
    assert check_mount_path(f"{path}/") == path


@pytest.mark.parametrize(
    ("mounts", "sentence"),
    [
        ({"volumes": [DATA, {"claim": "logs", "mount": "/data/"}]}, "each mount once"),
        ({"volumes": [DATA, {"claim": "data", "mount": "/logs"}]}, "each volume once"),
        ({"volumes": [DATA], "secrets": [{"name": "data", "mount": "/keys"}]}, "each volume once"),
        ({"volumes": [DATA], "secrets": [{"name": "keys", "mount": "/data"}]}, "each mount once"),
    ],
)
def test_two_of_one_name_or_on_one_mount(mounts, sentence):
    assert sentence in refused(**mounts)
    assert refused(**mounts).endswith("2 times; leave the others out")


def test_a_mount_below_another_is_left_to_kubernetes():
    below = {"claim": "logs", "mount": "/data/logs"}
    secret = {"name": "data", "env": {"KEY": "key"}}  # makes no volume
    config = KubeflowConfig.model_validate({"volumes": [DATA, below], "secrets": [secret]})
    assert [volume.mount for volume in config.volumes] == ["/data", "/data/logs"]


@pytest.mark.parametrize("memory", ["99999", "99k", "97Ki", "1P", "910Ti"])
def test_memory_that_kfp_writes_with_an_exponent(memory):
    sentence = refused(resources={"default": {"memory_limit": memory}})
    assert f"at least 100 kB and below 1 PB, which KFP can write, received {memory!r}" in sentence


@pytest.mark.parametrize("memory", ["100k", "98Ki", "8Gi", "999T"])
def test_memory_that_kfp_can_write(memory):
    resources = {"default": {"memory_request": memory, "memory_limit": memory}}
    assert KubeflowConfig.model_validate({"resources": resources})
