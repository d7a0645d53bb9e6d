"""The bootstrap with real interpreters, and with programs and archives made by tests."""

import hashlib
import io
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

import bootstrap

ROOT = pathlib.Path(bootstrap.__file__).parent


def program(path: pathlib.Path, script: str) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def build_wheel(path: pathlib.Path, content: bytes) -> bootstrap.Wheel:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(f"uv-{bootstrap.UV}.data/scripts/uv", content)
    path.write_bytes(body.getvalue())
    return bootstrap.Wheel(path.as_uri(), hashlib.sha256(body.getvalue()).hexdigest())


def test_an_interpreter_that_only_carries_the_name_is_passed_over(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
):
    shim = program(tmp_path / "python3.10", "echo 'version not installed' >&2; exit 127")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(shim) in list(bootstrap.python_candidates())
    python = bootstrap.find_python()
    assert python is not None
    version = subprocess.check_output([python, "-c", "import sys; print(sys.version_info[:2])"])
    assert version.strip() == b"(3, 10)"


def test_an_interpreter_of_pyenv_is_found(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    inside = program(tmp_path / "versions" / "3.10.99" / "bin" / "python", "exit 1")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert str(inside) in list(bootstrap.python_candidates())


def test_output_of_a_failing_or_missing_program_is_empty(tmp_path: pathlib.Path):
    assert bootstrap.output_of([str(program(tmp_path / "good", "echo 7"))]) == "7"
    assert bootstrap.output_of([str(program(tmp_path / "bad", "echo 7; exit 1"))]) == ""
    assert bootstrap.output_of([str(tmp_path / "absent")]) == ""


@pytest.mark.parametrize(
    ("version", "accepted"),
    [("0.7.22", False), ("0.8.0", True), ("0.13.9", True), ("1.0.0", True), ("unknown", False)],
)
def test_a_uv_on_the_path_must_be_recent(
    version: str, accepted: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
):
    uv = program(tmp_path / "uv", f"echo 'uv {version} (build)'")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bootstrap, "TOOLS", str(tmp_path / "none"))
    assert bootstrap.find_uv() == (str(uv) if accepted else None)


def test_a_download_with_the_right_hash_becomes_a_program(tmp_path: pathlib.Path):
    wheel = build_wheel(tmp_path / "uv.whl", b"#!/bin/sh\necho uv 0.13.9\n")
    uv = tmp_path / "bin" / "uv"
    bootstrap.download_uv(wheel, str(uv))
    assert subprocess.check_output([uv]) == b"uv 0.13.9\n"


def test_a_download_with_another_hash_leaves_nothing(tmp_path: pathlib.Path):
    wheel = build_wheel(tmp_path / "uv.whl", b"#!/bin/sh\n")._replace(sha256="0" * 64)
    with pytest.raises(bootstrap.Unavailable, match="to have SHA-256 0{64}, received"):
        bootstrap.download_uv(wheel, str(tmp_path / "bin" / "uv"))
    assert not (tmp_path / "bin").exists()


def test_a_failed_download_has_advice(tmp_path: pathlib.Path):
    wheel = bootstrap.Wheel((tmp_path / "absent.whl").as_uri(), "0" * 64)
    with pytest.raises(bootstrap.Unavailable, match="uv cannot be had.*HTTPS_PROXY"):
        bootstrap.download_uv(wheel, str(tmp_path / "uv"))


def test_an_unknown_machine_gets_advice(tmp_path: pathlib.Path):
    with pytest.raises(bootstrap.Unavailable, match="expected an x86_64 or aarch64 machine"):
        bootstrap.download_uv(None, str(tmp_path / "uv"))


def test_a_failing_sync_is_one_sentence_and_exit_2(tmp_path: pathlib.Path):
    script = tmp_path / "bootstrap.py"
    script.write_text((ROOT / "bootstrap.py").read_text())
    program(tmp_path / "bin" / "uv", '[ "$1" = --version ] && echo uv 0.13.9 || exit 5')
    completed = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 2
    assert "uv sync ended with 5" in completed.stderr.splitlines()[-1]
    assert "Traceback" not in completed.stderr


def test_sync_installs_exactly_the_locked_set(tmp_path: pathlib.Path):
    uv = program(tmp_path / "uv", f'echo "$UV_PROJECT_ENVIRONMENT $@" > {tmp_path}/asked')
    bootstrap.sync(str(uv), "/opt/python3.10")
    arguments = (tmp_path / "asked").read_text().split()
    assert arguments[0] == str(ROOT / ".venv")
    assert arguments[1:4] == ["sync", "--frozen", "--compile-bytecode"]
    extras = ["--extra", "kfp", "--extra", "s3", "--extra", "dev"]
    assert arguments[4:] == [*extras, "--python", "/opt/python3.10"]


def test_it_is_written_for_old_pythons():
    """Python 3.6's grammar: no walrus, no positional-only marks, no newer syntax."""
    import ast

    ast.parse((ROOT / "bootstrap.py").read_text(), feature_version=(3, 6))
