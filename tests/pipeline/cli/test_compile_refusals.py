"""Invalid input of `tandem compile` gives one sentence, exit code 2, and no document."""

import importlib.util
import re

import pytest

from pipeline import cli

CONFIG = "configs/simulated.toml"


@pytest.fixture
def refused(tmp_path, capsys):
    """refused(*arguments) -> the sentence with which compiling ends."""

    def call(
        *arguments: str, out: str = "shop.yaml", image: str | None = "example/tandem:1"
    ) -> str:
        what = ["--config", CONFIG, "--out", str(tmp_path / out)]
        what += ["--image", image] if image is not None else []
        assert cli.main(["compile", *what, *arguments]) == 2
        output = capsys.readouterr()
        assert (output.out, output.err.count("\n")) == ("", 1), output.err
        assert not (tmp_path / out).is_file()
        return output.err.removeprefix("tandem: ").rstrip("\n")

    return call


def test_no_kfp(refused, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "kfp" else find(name)
    )
    assert refused().endswith("install it with: pip install 'tandem[kfp]'")


def test_no_image(refused):
    assert refused(image=None) == (
        "expected the container image that tasks run in, received none; "
        "build it with the Dockerfile and give its name with --image"
    )


@pytest.mark.parametrize("image", ["", "tandem 1", "-tandem"])
def test_an_image_that_is_none(refused, image):
    assert f"received {image!r}" in refused(f"--image={image}", image=None)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("default.memory_limit=8 gigs",
         "kubeflow.resources.default.memory_limit: expected a quantity of Kubernetes above 0, "
         "such as 500m, 2 or 8Gi, received '8 gigs'"),
        ("default.cpu_limit=2", "kubeflow.resources.default.cpu_limit: Input should be a valid"),
        ("default.gpu=1", "unknown key kubeflow.resources.default.gpu"),
        ("Indexer.accelerator={ type = 'gpu', count = 0 }", "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_a_resource_that_does_not_parse(refused, override, message):
    assert message in refused("--set", f"kubeflow.resources.{override}")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("volumes=[{claim = 'my.data', mount = '/data'}]", "volumes.0.claim: expected at most 63"),
        ("volumes=[{claim = 'data', mount = '/tmp'}]", "volumes.0.mount: expected a folder that"),
        ("resources.default.memory_limit=50k", "memory_limit: expected memory of at least 100 kB"),
    ],
)
def test_settings_that_no_pod_can_have(refused, override, sentence):
    assert sentence in refused("--set", f"kubeflow.{override}")


def test_a_factor_with_which_argo_would_retry_nothing(refused):
    sentence = refused("--set", "kubeflow.retries.default.wait_factor=1.5")
    assert "kubeflow.retries.default.wait_factor: Input should be a valid integer" in sentence
    assert sentence.endswith("received 1.5")


def test_a_component_that_does_not_exist(refused):
    sentence = refused("--set", "kubeflow.resources.Transform.memory_limit=4Gi")
    assert "Transform-interactions, Transform-items; received 'Transform'" in sentence


def test_a_document_that_is_not_yaml(refused):
    assert "expected a file that ends in .yaml" in refused(out="shop.json")


def test_a_folder_named_like_the_document(refused, tmp_path):
    (tmp_path / "shop.yaml").mkdir()
    assert f"expected to write the pipeline to {tmp_path / 'shop.yaml'}" in refused()


@pytest.mark.parametrize(
    "name",
    [
        "shop-",
        "-shop",
        "-",
        "",
        "s" * 64,
        "s" * 300,
        "Shop",
        "shop_1",
        "shop.1",
        "my shop",
        "schön",
    ],
)
def test_a_name_that_kubernetes_refuses(refused, name):
    """64 characters are one more than a label of Kubernetes and DNS may have."""
    output = refused("--set", f'name="{name}"')
    assert "name: expected at most 63 characters of a to z, 0 to 9 and dashes" in output
    assert f"received {name!r}" in output


def test_tasks_without_a_memory_limit_are_named(tmp_path, capsys):
    """The document is written anyway."""
    out = tmp_path / "shop.yaml"
    arguments = ["compile", "--config", CONFIG, "--image", "example/tandem:1", "--out", str(out)]
    limited = ["--set", "kubeflow.resources.Evaluator.memory_limit=4Gi"]
    assert cli.main([*arguments, *limited]) == 0
    output = capsys.readouterr()
    (tasks,) = re.findall(rf"^{out}: (\d+) tasks$", output.out)
    assert re.fullmatch(
        r"tandem: warning: no memory limit for .*; set memory_limit.*\n", output.err
    )
    named = output.err.partition("for ")[2].partition(":")[0].split(", ")
    assert len(named) == int(tasks) - 1
    assert ("RetrievalTrainer" in named, "Evaluator" in named) == (True, False)
