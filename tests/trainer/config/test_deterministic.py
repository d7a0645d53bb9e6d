"""`trainer.deterministic` in separate processes, whose kernels oneDNN itself reports."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from pydantic import ValidationError

from schema.errors import ConfigError
from trainer.config.deterministic import get_environment, prepare_process
from trainer.config.models import TrainerConfig
from trainer.training.distribution import create_hardware

ROOT = pathlib.Path(__file__).resolve().parents[3]
VARIABLES = {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "AVX2"}
COMPUTE = """
import sys
from trainer.config.deterministic import prepare_process
from trainer.config.models import TrainerConfig
config = TrainerConfig(deterministic=sys.argv[1] == "on")
prepare_process(config)
import tensorflow as tf
from trainer.training.distribution import create_hardware
with create_hardware(config).scope():
    layer = tf.keras.layers.Dense(16, "relu")
tf.function(layer)(tf.ones([64, 32]))
"""
FIND_VARIABLES = """
import json, os, sys
from pipeline import cli
arguments, names = map(json.loads, sys.argv[1:])
for verb in (["run"], ["tune"], ["backfill", "--from", "1", "--to", "2"]):
    code = cli.main([*verb, *arguments])
    assert "tensorflow" not in sys.modules
    print(json.dumps([verb[0], code, {name: os.environ.pop(name, None) for name in names}]))
"""


def run_python(code: str, *arguments: str, **environment: str) -> str:
    """Standard output, which includes oneDNN's."""
    inherited = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    completed = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env=inherited | {"PYTHONPATH": str(ROOT)} | environment,
    )
    assert completed.returncode == 0, completed.stderr[-3000:]
    return completed.stdout


def report_kernels(setting: str) -> str:
    """oneDNN's report on one layer in an environment of a newer CPU (oneDNN's operations) and an
    older one (fewer instructions), which every machine with AVX2 can imitate.
    """
    environment = {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "SSE41"}
    return run_python(COMPUTE, setting, ONEDNN_VERBOSE="1", **environment)


def find_operations(report: str) -> set[str]:
    executed = [line for line in report.splitlines() if ",exec,cpu," in line]
    return {line.split(",exec,cpu,")[1].split(",")[0] for line in executed}


def test_without_it_the_environment_chooses_the_kernels():
    report = report_kernels("off")
    assert "cpu,isa:Intel SSE4.1\n" in report
    assert "inner_product" in find_operations(report)


def test_with_it_kernels_use_avx2_and_no_operation_of_onednn():
    report = report_kernels("on")
    assert "cpu,isa:Intel AVX2\n" in report
    assert find_operations(report) == {"gemm_api"}, "TensorFlow's own matrix product"
    assert "avx512" not in report


def test_verbs_that_train_prepare_their_process_before_tensorflow_loads(tmp_path):
    """There is no data, so each command ends with exit code 2 before it trains."""
    config = tmp_path / "shop.toml"
    spans = '[data.interactions]\npath = "{SPAN}/events.jsonl"\nlast_spans = 1\n'
    config.write_text(f'name = "shop"\n{spans}[data.items]\npath = "items.jsonl"\n')
    arguments = ["--config", str(config), "--set", "trainer.deterministic=true"]
    locations = ["--data", str(tmp_path), "--root", str(tmp_path / "root")]
    printed = run_python(
        FIND_VARIABLES, json.dumps(arguments + locations), json.dumps(list(VARIABLES))
    )
    assert [json.loads(line) for line in printed.splitlines()] == [
        [verb, 2, VARIABLES] for verb in ("run", "tune", "backfill")
    ]


def test_a_trainer_in_a_process_that_was_not_prepared_refuses_to_start(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="ONEDNN_MAX_CPU_ISA=AVX2 in the environment before"):
        create_hardware(TrainerConfig(deterministic=True))
    assert "ONEDNN_MAX_CPU_ISA" not in os.environ


def test_a_trainer_in_a_prepared_process_starts(monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert create_hardware(TrainerConfig(deterministic=True)).replicas == 1


def test_off_leaves_the_environment_as_it_is(monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX")
    prepare_process(TrainerConfig(deterministic=False))
    assert os.environ["ONEDNN_MAX_CPU_ISA"] == "AVX"
    assert get_environment(TrainerConfig(deterministic=False)) == {}


def test_xla_is_refused_since_it_compiles_for_the_cpu():
    with pytest.raises(ValidationError, match="expects xla = false"):
        TrainerConfig(deterministic=True, xla=True)


def test_the_trainers_parameters_contain_it():
    on, off = (TrainerConfig(deterministic=value).model_dump_json() for value in (True, False))
    assert '"deterministic":true' in on
    assert '"deterministic":false' in off
