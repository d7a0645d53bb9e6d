"""Each check of the doctor passes, and fails on a real, planted problem."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from pipeline.commands import doctor


def fresh(code: str, **environment: str) -> str:
    """The output of `code` in a new process, where nothing has been imported yet."""
    completed = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return completed.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10, 13), "ok"), ((3, 11, 0), "FAIL"), ((3, 9), "FAIL")]
)
def test_python(version: tuple[int, ...], status: str):
    assert doctor.check_python(version).status == status


def test_requirements_that_are_met():
    assert doctor.check_requirements(["pytest>=8", 'nowhere>1; extra == "gpu"']).status == "ok"


def test_requirements_name_each_misfit():
    finding = doctor.check_requirements(["pytest>=8", "numpy>=99", "no-such-package-here>=1"])
    assert finding.status == "FAIL"
    assert finding.advice
    outdated, missing = finding.message.split("; ")
    assert outdated.startswith("numpy is 1.")
    assert outdated.endswith("expected >=99")
    assert missing == "no-such-package-here is missing, expected >=1"


def test_keras_3_is_found():
    code = "from pipeline.commands.doctor import check_keras as c; print(c().status, c().advice)"
    output = fresh(code, TF_USE_LEGACY_KERAS="0")
    assert output.startswith("FAIL set TF_USE_LEGACY_KERAS=1")


@pytest.mark.parametrize(
    ("check", "package"), [("check_scann", "scann"), ("check_text", "tensorflow_text")]
)
def test_a_package_that_does_not_load(check: str, package: str, tmp_path: pathlib.Path):
    broken = tmp_path / package
    broken.mkdir()
    (broken / "__init__.py").write_text(
        "import tensorflow as tf\ntf.load_op_library('/nowhere/_ops.so')\n"
    )
    code = f"from pipeline.commands import doctor; f = doctor.{check}(); print(f.status, f.message)"
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    output = fresh(code, PYTHONPATH=path)
    assert output.startswith(f"FAIL {package} does not load: /nowhere/_ops.so")


def test_disk(tmp_path: pathlib.Path):
    assert doctor.check_disk(tmp_path, least=0, enough=0).status == "ok"
    assert doctor.check_disk(tmp_path, least=0, enough=1 << 62).status == "warn"
    assert doctor.check_disk(tmp_path, least=1 << 62, enough=1 << 62).status == "FAIL"


def test_the_verb_prints_only_json(tmp_path: pathlib.Path):
    completed = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    output = json.loads(completed.stdout)
    names = [check["name"] for check in output["checks"]]
    assert names[:4] == ["Python", "versions", "Keras 2", "ScaNN"]
    assert names[4:] == ["tensorflow-text", "accelerators", "disk"]
    failed = [check for check in output["checks"] if check["status"] == "FAIL"]
    assert output["ok"] == (failed == [])
    assert completed.returncode == (2 if failed else 0)
    by_name = {check["name"]: check for check in output["checks"]}
    for native in ("Keras 2", "ScaNN", "tensorflow-text"):
        assert by_name[native]["status"] == "ok", by_name[native]
