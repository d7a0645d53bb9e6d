"""Every text proto of deploy/ is parsed into TensorFlow Serving's own messages."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from schema import signatures
from tests.deploy.serving_protos import build_messages

PUBLISHED = build_messages()


def parse_models(text):
    """Configurations of models by name."""
    parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    models = {config.name: config for config in parsed.model_config_list.config}
    assert len(models) == len(parsed.model_config_list.config)
    return models


def parse_monitoring(text):
    return text_format.Parse(text, PUBLISHED["MonitoringConfig"]())


@pytest.fixture
def model_files(deploy, manifests, canary):
    """Texts of all models.config files."""
    return {
        "compose": (deploy / "models.config").read_text(),
        "kubernetes": manifests["ConfigMap"]["data"]["models.config"],
        "canary": canary["data"]["models.config"],
    }


@pytest.mark.parametrize("location", ["compose", "kubernetes", "canary"])
def test_every_pushed_model_is_served_from_its_own_folder(model_files, location):
    models = parse_models(model_files[location])
    assert set(models) == set(signatures.SERVABLES)
    for name, config in models.items():
        assert config.base_path == f"/models/{name}"
        assert config.model_platform == "tensorflow"


@pytest.mark.parametrize("location", ["compose", "kubernetes"])
def test_the_newest_version_is_served(model_files, location):
    for config in parse_models(model_files[location]).values():
        assert not config.HasField("model_version_policy")  # TensorFlow Serving's default: latest
        assert not config.version_labels


def test_the_canary_has_two_versions_and_a_label_for_each(model_files):
    config = parse_models(model_files["canary"])["recommender"]
    versions = list(config.model_version_policy.specific.versions)
    assert len(set(versions)) == 2
    assert set(config.version_labels) == {"stable", "canary"}
    assert sorted(config.version_labels.values()) == sorted(versions)
    assert config.version_labels["stable"] < config.version_labels["canary"]


def test_batching(deploy):
    config = text_format.Parse(
        (deploy / "batching.config").read_text(), PUBLISHED["BatchingParameters"]()
    )
    assert config.max_batch_size.value == 32
    assert config.max_enqueued_batches.value == 64
    assert config.num_batch_threads.value >= 1
    assert 0 < config.batch_timeout_micros.value <= 5000  # of at most 20 ms for a call
    assert not config.pad_variable_length_inputs


def test_monitoring_is_on_where_prometheus_asks(deploy, manifests, canary):
    texts = [
        (deploy / "monitoring.config").read_text(),
        manifests["ConfigMap"]["data"]["monitoring.config"],
        canary["data"]["monitoring.config"],
    ]
    for text in texts:
        config = parse_monitoring(text).prometheus_config
        assert config.enable
        assert config.path == "/monitoring/prometheus/metrics"


@pytest.mark.parametrize("text", ["max_batch_size: 32", "max_batch { value: 1 }", "num_batch"])
def test_invalid_batching_files_are_refused(text):
    with pytest.raises(text_format.ParseError):
        text_format.Parse(text, PUBLISHED["BatchingParameters"]())
