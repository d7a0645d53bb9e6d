"""The recurring run of Kubeflow Pipelines and the CronJob, read by the types they are for."""

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


def as_kfp_reads(document):
    return typed_models.as_read(kfp_server_api.ApiClient(), document, "V2beta1RecurringRun")


def as_kubernetes_reads(document):
    return typed_models.as_read(kubernetes.client.ApiClient(), document, "V1CronJob")


def test_the_recurring_run_is_what_kfp_reads(recurring_run):
    assert as_kfp_reads(recurring_run) == recurring_run


@pytest.mark.parametrize(
    ("key", "value"), [("no_catch_up", True), ("max_concurrency", 1), ("trigger", {"cron": "* *"})]
)
def test_a_slip_in_the_recurring_run_is_seen(recurring_run, key, value):
    broken = copy.deepcopy(recurring_run) | {key: value}
    assert as_kfp_reads(broken) != broken


def test_its_root_is_that_of_kfp_itself(recurring_run, deploy):
    """A run without one takes `minio://` where nothing else is said, which no task knows."""
    path = deploy / "kubeflow" / "kfp-launcher.yaml"
    launcher = yaml.safe_load(path.read_text(encoding="utf-8"))
    root = recurring_run["runtime_config"]["pipeline_root"]
    assert root == launcher["data"]["defaultPipelineRoot"]


def test_its_span_is_the_day_it_was_scheduled_for(recurring_run):
    """Go's layout of a date, in a macro of KFP: kubeflow/pipelines,
    backend/src/common/util/parameter_formatter.go. The time of scheduling, unlike that of starting,
    is the same when the run is late; runs that were missed are caught up with, one after another.
    """
    assert recurring_run["runtime_config"]["parameters"] == {"span": "[[ScheduledTime.2006-01-02]]"}
    assert recurring_run["no_catchup"] is False
    assert recurring_run["max_concurrency"] == "1"
    # KFP's cron has seconds before the five fields of Kubernetes'.
    assert len(recurring_run["trigger"]["cron_schedule"]["cron"].split()) == 6


def test_the_cron_job_is_what_kubernetes_reads(cron_job):
    assert as_kubernetes_reads(cron_job) == cron_job


@pytest.mark.parametrize("key", ["timezone", "concurrencypolicy"])
def test_a_slip_in_the_cron_job_is_seen(cron_job, key):
    broken = copy.deepcopy(cron_job)
    broken["spec"][key] = "Forbid"
    assert as_kubernetes_reads(broken) != broken


@pytest.fixture
def pod(cron_job):
    return cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_what_ends_the_same_again_is_not_tried_again(cron_job, pod):
    job = cron_job["spec"]["jobTemplate"]["spec"]
    fails, ignored = job["podFailurePolicy"]["rules"]
    assert (fails["action"], fails["onExitCodes"]["operator"]) == ("FailJob", "In")
    codes = {error.exit_code for error in (UsageError, DataRefused, NotBlessed)}
    assert set(fails["onExitCodes"]["values"]) == codes
    (container,) = pod["containers"]
    assert fails["onExitCodes"]["containerName"] == container["name"]
    assert ignored["action"] == "Ignore"
    assert pod["restartPolicy"] == "Never"  # podFailurePolicy demands it


def test_one_run_at_a_time_pushes_where_the_servers_look(cron_job, pod, manifests):
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
    shown = load_config(ROOT / "configs" / "recurring.toml")
    assert "--config=/config/recurring.toml" in container["args"]
    source = shown.data.interactions
    assert source.comes_in_spans
    assert source.span is None  # the newest where nothing is said, or the recurring run's
    split = shown.split
    assert source.last_spans == sum(
        days or 0 for days in (split.train_days, split.valid_days, split.test_days)
    )
    assert shown.retrieval.warm_start
