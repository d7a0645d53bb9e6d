"""Settings of tasks on Kubeflow, and the messages for invalid ones."""

import pytest
from pydantic import ValidationError

from pipeline.config.kubeflow import PEAK_MB, KubeflowConfig
from pipeline.config.kubernetes import parse_quantity


def parse(**message) -> KubeflowConfig:
    return KubeflowConfig.model_validate(message)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("2", 2), ("500m", 0.5), ("1.5", 1.5), ("1k", 1000), ("3M", 3_000_000),
        ("1Ki", 1024), ("8Gi", 8 * 2**30), ("0.5Mi", 2**19), ("1E", 10**18),
    ],
)  # fmt: skip
def test_quantities_are_those_of_kubernetes(text, units):
    assert float(parse_quantity(text)) == units


@pytest.mark.parametrize("text", ["", "0", "-1", "8 Gi", "8GB", "8gi", "lots", "1e3", ".5", "٣"])
def test_an_invalid_quantity_is_refused(text):
    with pytest.raises(ValueError, match="such as 500m, 2 or 8Gi, received"):
        parse_quantity(text)


def test_a_components_own_keys_override_the_default_ones():
    config = parse(
        resources={
            "default": {"cpu_request": "1", "memory_limit": "4Gi"},
            "RetrievalTrainer": {"memory_limit": "16Gi", "accelerator": {"type": "nvidia.com/gpu"}},
        },
        retries={"default": {"count": 2}, "Pusher": {"wait_seconds": 5}},
        caching={"default": False, "Indexer": True},
    )
    own = config.get_resources("RetrievalTrainer")
    assert (own.cpu_request, own.memory_limit) == ("1", "16Gi")
    assert own.accelerator is not None
    assert (own.accelerator.type, own.accelerator.count) == ("nvidia.com/gpu", 1)
    other = config.get_resources("ItemsGen")
    assert (other.cpu_request, other.memory_limit, other.accelerator) == ("1", "4Gi", None)
    assert (config.get_retries("Pusher").count, config.get_retries("Pusher").wait_seconds) == (2, 5)
    assert [config.is_cached(name) for name in ("Indexer", "ItemsGen")] == [True, False]
    assert config.components == {"RetrievalTrainer", "Pusher", "Indexer"}


def test_a_task_has_the_memory_that_it_was_measured_to_need():
    measured = parse_quantity(parse().get_resources("RetrievalTrainer").memory_request or "")
    peak = PEAK_MB["RetrievalTrainer"] * 10**6
    assert 1.25 * peak <= measured <= 1.25 * peak + 250 * 10**6
    assert parse().get_resources("RetrievalTrainer").memory_limit is None


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ({"default": {"memory_request": "1Gi"}}, "1Gi"),
        ({"DataGate": {"memory_request": "5Gi"}, "default": {"memory_limit": "6Gi"}}, "5Gi"),
        ({"default": {"memory_limit": "600M"}}, None),  # and Kubernetes uses the limit
        ({"default": {"memory_limit": "9Gi"}}, parse().get_resources("DataGate").memory_request),
        ({"default": {"cpu_request": "1"}}, parse().get_resources("DataGate").memory_request),
    ],
)
def test_configured_resources_override_the_measured_ones(message, wanted):
    assert parse(resources=message).get_resources("DataGate").memory_request == wanted


def test_by_default_tasks_are_cached_and_not_retried():
    assert parse().is_cached("ItemsGen")
    assert parse().get_retries("ItemsGen").count == 0


def test_a_training_of_six_hours_is_retried_and_ends():
    """Argo counts from the start of the first attempt to the end of the last."""
    retries = parse(retries={"RetrievalTrainer": {"count": 3}}).get_retries("RetrievalTrainer")
    waits = 60 + 120 + 240
    assert retries.wait_at_most_seconds > 4 * 6 * 3600 + waits


def test_a_whole_factor_may_have_a_point():
    factor = parse(retries={"default": {"wait_factor": 3.0}}).get_retries("ItemsGen").wait_factor
    assert (factor, type(factor)) == (3, int)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({"resources": {"default": {"memory_limit": "8 gigs"}}}, "received '8 gigs'"),
        ({"resources": {"default": {"cpu_request": "3", "cpu_limit": "2000m"}}},
         "cpu_request not above cpu_limit, received 3 and 2000m"),
        ({"resources": {"default": {"memory_request": "2Gi"}, "Indexer": {"memory_limit": "1G"}}},
         "Indexer: expected memory_request not above memory_limit, received 2Gi and 1G"),
        ({"resources": {"default": {"gpu": 1}}}, "Extra inputs"),
        ({"resources": {"default": {"tolerations": [{"value": "gpu"}]}}}, "without key expects"),
        ({"resources": {"default": {"tolerations": [
            {"key": "a", "operator": "Exists", "value": "gpu"}]}}}, "takes no value"),
        ({"retries": {"default": {"count": -1}}}, "greater than or equal to 0"),
        ({"retries": {"default": {"wait_factor": 1.5}}}, "retries.default.wait_factor\n.*integer"),
        ({"retries": {"default": {"wait_factor": 0}}}, "greater than or equal to 1"),
        ({"retries": {"default": {"count": 5}, "Pusher": {"wait_at_most_seconds": 1860}}},
         "Pusher: expected wait_at_most_seconds above 1860, which the waits before 5 retries take"),
        ({"caching": {"default": "sometimes"}}, "boolean"),
        ({"secrets": [{"name": "s3"}]}, "secret s3 expects env or mount, received neither"),
        ({"secrets": [{"name": "s3", "env": {"A-B": "key"}}]}, "pattern"),
        ({"secrets": [{"name": "S3", "mount": "/keys"}]}, "pattern"),
        ({"labels": {"team": "the shop"}}, "pattern"),
        ({"labels": {"-team": "shop"}}, "pattern"),
    ],
)  # fmt: skip
def test_invalid_values_are_named(text, message):
    with pytest.raises(ValidationError, match=message):
        parse(**text)
