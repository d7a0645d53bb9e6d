"""The recurring run of Kubeflow Pipelines and the CronJob are valid by the types of their APIs."""

import copy
import json
import pathlib

import kfp_server_api
import kubernetes.client
import pytest
import yaml

from pipeline.config.config import load_config
from schema.errors import DataRefused, NotBlessed, UsageError
from tests.deploy import typed_models

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recurring_run(deploy):
    return json.loads((deploy / "kubeflow" / "recurring-run.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cron_job(deploy):
    path = deploy / "kubernetes" / "recurring" / "cronjob.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def round_trip_kfp(document):
    return typed_models.round_trip(kfp_server_api.ApiClient(), document, "V2beta1RecurringRun")


def round_trip_kubernetes(document):
    return typed_models.round_trip(kubernetes.client.ApiClient(), document, "V1CronJob")


def test_kfp_accepts_the_recurring_run(recurring_run):
    assert round_trip_kfp(recurring_run) == recurring_run


@pytest.mark.parametrize(
    ("key", "value"), [("no_catch_up", True), ("max_concurrency", 1), ("trigger", {"cron": "* *"})]
)
def test_an_error_in_the_recurring_run_is_detected(recurring_run, key, value):
    broken = copy.deepcopy(recurring_run) | {key: value}
    assert round_trip_kfp(broken) != broken


def test_the_recurring_run_has_kfps_default_root(recurring_run, deploy):
    """A run without a root uses `minio://` by default, which the tasks do not support."""
    path = deploy / "kubeflow" / "kfp-launcher.yaml"
    launcher = yaml.safe_load(path.read_text(encoding="utf-8"))
    root = recurring_run["runtime_config"]["pipeline_root"]
    assert root == launcher["data"]["defaultPipelineRoot"]


def test_the_span_is_the_scheduled_day(recurring_run):
    """A macro of KFP with Go's date layout: kubeflow/pipelines,
    backend/src/common/util/parameter_formatter.go. Unlike the start time, the scheduled time does
    not change if the run is late; missed runs are executed later, one after another.
    """
    assert recurring_run["runtime_config"]["parameters"] == {"span": "[[ScheduledTime.2006-01-02]]"}
    assert recurring_run["no_catchup"] is False
    assert recurring_run["max_concurrency"] == "1"
    # KFP's cron format has seconds before the five fields of Kubernetes' format.
    assert len(recurring_run["trigger"]["cron_schedule"]["cron"].split()) == 6


def test_kubernetes_accepts_the_cron_job(cron_job):
    assert round_trip_kubernetes(cron_job) == cron_job


@pytest.mark.parametrize("key", ["timezone", "concurrencypolicy"])
def test_an_error_in_the_cron_job_is_detected(cron_job, key):
    broken = copy.deepcopy(cron_job)
    broken["spec"][key] = "Forbid"
    assert round_trip_kubernetes(broken) != broken


@pytest.fixture
def pod(cron_job):
    return cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_permanent_errors_are_not_retried(cron_job, pod):
    job = cron_job["spec"]["jobTemplate"]["spec"]
    failing, ignored = job["podFailurePolicy"]["rules"]
    assert (failing["action"], failing["onExitCodes"]["operator"]) == ("FailJob", "In")
    codes = {error.exit_code for error in (UsageError, DataRefused, NotBlessed)}
    assert set(failing["onExitCodes"]["values"]) == codes
    (container,) = pod["containers"]
    assert failing["onExitCodes"]["containerName"] == container["name"]
    assert ignored["action"] == "Ignore"
    assert pod["restartPolicy"] == "Never"  # podFailurePolicy requires it


def test_one_run_at_a_time_pushes_to_the_servers_volume(cron_job, pod, manifests):
    assert cron_job["spec"]["concurrencyPolicy"] == "Forbid"
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts["models"] == f"{mounts['runs']}/serving"
    assert f"--root={mounts['runs']}" in container["args"]
    assert f"--data={mounts['logs']}" in container["args"]
    claims = {v["name"]: v.get("persistentVolumeClaim") for v in pod["volumes"]}
    server = manifests["Deployment"]["spec"]["template"]["spec"]["volumes"]
    served = next(v["persistentVolumeClaim"] for v in server if v["name"] == "models")
    assert claims["models"]["claimName"] == served["claimName"]
    assert set(mounts) == set(claims)


def test_both_read_the_configuration_that_moves_a_window(pod):
    (container,) = pod["containers"]
    config = load_config(ROOT / "configs" / "recurring.toml")
    assert "--config=/config/recurring.toml" in container["args"]
    source = config.data.interactions
    assert source.comes_in_spans
    assert source.span is None  # the newest by default, or the recurring run's
    split = config.split
    assert source.last_spans == sum(
        days or 0 for days in (split.train_days, split.valid_days, split.test_days)
    )
    assert config.retrieval.warm_start
