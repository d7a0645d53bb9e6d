"""The bootstrap with real interpreters, and with programs and archives made by tests."""

import functools
import hashlib
import http.server
import io
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
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


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "1"), ({"UV_SYSTEM_CERTS": "0"}, "0"), ({"UV_NATIVE_TLS": "0"}, "0")],
)
def test_uv_trusts_the_certificates_of_the_system_unless_told_not_to(
    given: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("UV_NATIVE_TLS", raising=False)
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    environment = bootstrap.uv_environment()
    assert environment["UV_SYSTEM_CERTS"] == environment["UV_NATIVE_TLS"] == expected


@pytest.fixture(scope="module")
def company_index(tmp_path_factory: pytest.TempPathFactory):
    """URL of a package index whose certificate no system trusts, and the file of its CA."""
    if shutil.which("openssl") is None:
        pytest.skip("expected openssl on the PATH to make a certificate, found none")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1",
        shell=True, check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/", folder / "ca.pem"
    server.shutdown()
    server.server_close()


def test_an_untrusted_certificate_is_named_with_its_cure(
    company_index: tuple[str, pathlib.Path], monkeypatch: pytest.MonkeyPatch
):
    url, ca = company_index
    monkeypatch.setenv("UV_DEFAULT_INDEX", url)
    for name in ("HTTPS_PROXY", "https_proxy", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    assert f"the certificate of {url} is not trusted here" in bootstrap.sync_failure(2, "python")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    assert "certificate" not in bootstrap.sync_failure(2, "python")


def test_an_index_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as bound:  # not listening: connections are refused
        bound.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{bound.getsockname()[1]}/"
        monkeypatch.setenv("UV_DEFAULT_INDEX", url)
        monkeypatch.delenv("HTTPS_PROXY", raising=False)
        monkeypatch.delenv("https_proxy", raising=False)
        assert f"{url} cannot be reached" in bootstrap.index_failure()


def test_it_is_written_for_old_pythons():
    """Python 3.6's grammar: no walrus, no positional-only marks, no newer syntax."""
    import ast

    ast.parse((ROOT / "bootstrap.py").read_text(), feature_version=(3, 6))
