"""models.config files: what is read from them, and what is refused."""

import pathlib

import pytest

from schema.errors import UsageError
from serving.server.model_config import read_model_config

TWO_MODELS = """
model_config_list {
  config {
    name: "recommender" base_path: "/models/recommender" model_platform: "tensorflow"
    model_version_policy { specific { versions: 3 versions: 4 } }
    version_labels { key: "stable" value: 3 }
    version_labels { key: "canary" value: 4 }
  }
  config { name: "ranking" base_path: "/elsewhere/r" model_type: TENSORFLOW }
}
"""


def build_config(entry):
    return f"model_config_list {{ config {{ {entry} }} }}"


def test_a_config_in_tensorflow_servings_format_is_accepted(tmp_path):
    path = tmp_path / "models.config"
    path.write_text(TWO_MODELS)
    recommender, ranking = read_model_config(path)
    assert (recommender.name, recommender.base_path) == (
        "recommender",
        pathlib.Path("/models/recommender"),
    )
    assert list(recommender.policy.specific.versions) == [3, 4]
    assert recommender.version_labels == {"stable": 3, "canary": 4}
    assert (ranking.name, ranking.base_path) == ("ranking", pathlib.Path("/elsewhere/r"))
    assert ranking.policy.WhichOneof("policy_choice") is None
    assert ranking.version_labels == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model_config_list { confg {} }", "confg"),
        ("", "Only ModelConfigList is currently supported"),
        ("custom_model_config {}", "Only ModelConfigList is currently supported"),
        (
            build_config('name: "m" base_path: "m" model_platform: "tensorflow"'),
            r"Expected model m to have an absolute path or URI; got base_path\(\)=m",
        ),
        (build_config('name: "m" base_path: "/m"'), "model name is m"),
        (
            build_config('name: "m" base_path: "/m" model_platform: "caffe"'),
            "Model m requests unsupported platform caffe",
        ),
        (
            build_config(
                'name: "m" base_path: "/m" model_platform: "tensorflow" logging_config {}'
            ),
            "Model m has a logging_config",
        ),
        (
            TWO_MODELS.replace('"ranking"', '"recommender"'),
            "Illegal to list model recommender multiple times in config list",
        ),
    ],
)
def test_invalid_input_is_refused(tmp_path, text, message):
    path = tmp_path / "models.config"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_model_config(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "models.config"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"models\.config"):
        read_model_config(path)
