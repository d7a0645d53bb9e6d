"""The same training on one device and on several, in separate processes."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest

from schema.errors import ConfigError
from trainer.config.models import TrainerConfig
from trainer.training.distribution import create_hardware

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOLERANCE = 1e-4
"""Relative tolerance of the mean loss of an epoch: the order of summation differs, and 28 steps of
Adam amplify the difference.
"""


def _start(folder: pathlib.Path, *arguments: str, **environment: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.trainer.chains", str(folder), "--no-dropout"]
    return subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def _history(process: subprocess.Popen) -> dict[str, list[float]]:
    output, _ = process.communicate(timeout=280)
    assert process.returncode == 0
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return _history(_start(tmp_path_factory.mktemp("alone")))


def _same(history, alone, tolerance):
    for name in ("loss", "val_loss"):
        assert len(history[name]) == 4
        assert history[name] == pytest.approx(alone[name], rel=tolerance)


@pytest.mark.e2e
def test_two_replicas_learn_what_one_device_learns_from_the_same_batches(alone, tmp_path):
    history = _history(_start(tmp_path, "--strategy", "mirrored", "--devices", "2"))
    _same(history, alone, TOLERANCE)


@pytest.mark.e2e
def test_two_workers_learn_the_same_and_the_first_of_them_writes(alone, tmp_path):
    workers = [f"127.0.0.1:{port}" for port in _free_ports(2)]
    started = [
        _start(
            tmp_path / str(index),
            "--strategy",
            "multi_worker",
            TF_CONFIG=json.dumps(
                {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    first, second = (_history(process) for process in started)
    _same(first, alone, TOLERANCE)
    assert second["loss"] == first["loss"]
    assert (tmp_path / "0" / "checkpoints" / "best" / "checkpoint").exists()
    assert list((tmp_path / "0" / "tensorboard").rglob("events.out.tfevents*"))
    assert not [path for path in tmp_path.joinpath("1").rglob("*") if path.is_file()]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.mark.e2e
def test_xla_changes_the_loss_only_by_rounding(alone, tmp_path):
    _same(_history(_start(tmp_path, "--xla")), alone, TOLERANCE)


@pytest.mark.e2e
def test_mixed_precision_changes_the_loss_by_the_digits_of_bfloat16(alone, tmp_path):
    history = _history(_start(tmp_path, "--mixed-precision"))
    assert history["loss"] != alone["loss"]
    _same(history, alone, 2e-2)


def _create(**settings):
    return create_hardware(TrainerConfig.model_validate(settings))


def test_without_other_hardware_auto_is_one_device(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    monkeypatch.delenv("TPU_NAME", raising=False)
    assert _create().replicas == 1
    assert not _create().static_shapes
    assert _create(xla=True).static_shapes


def test_mirrored_without_two_devices_is_a_configuration_error():
    with pytest.raises(ConfigError, match=r"two GPUs or more.*found 1 CPU device; use strategy ="):
        _create(strategy="mirrored")


@pytest.mark.parametrize("cluster", [None, '{"cluster": {}}'])
def test_workers_without_a_cluster_are_a_configuration_error(monkeypatch, cluster):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if cluster:
        monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(ConfigError, match=r"TF_CONFIG for trainer.strategy = .multi_worker."):
        _create(strategy="multi_worker")


def test_a_cluster_that_is_no_json_is_a_configuration_error(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "worker=a")
    with pytest.raises(ConfigError, match=r"JSON in the environment variable TF_CONFIG, received"):
        _create()


def test_a_missing_tpu_is_a_configuration_error(monkeypatch):
    monkeypatch.delenv("TPU_NAME", raising=False)
    with pytest.raises(ConfigError, match=r"expected a TPU .* found none"):
        _create(strategy="tpu")
