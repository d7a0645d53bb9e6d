"""Makes `.venv` from `uv.lock`: finds a Python 3.10, gets uv, lets it install the locked set.

    python3 bootstrap.py

Runs on any Python from 3.6 with the standard library alone, because a bare Debian python3 has
neither pip nor venv. Ends with 0, or with 2 and one sentence that says what could not be had. The
environment is passed on, so that PIP_*, UV_*, proxies and SSL_CERT_FILE mean what they mean
everywhere; uv trusts the system's certificates, so that a company's own CA works, unless
UV_SYSTEM_CERTS is set to 0.
"""

import glob
import hashlib
import io
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from typing import Dict, Iterator, List, NamedTuple, Optional

ROOT = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(ROOT, ".tools")
EXTRAS = ["kfp", "s3", "dev"]

# What an interpreter must bring: the extension modules that a build without the system's libraries
# lacks, and Python.h, because pyfarmhash (of TFX) is published as C++ source only.
PROBE = """
import bz2, ctypes, lzma, os, sqlite3, ssl, sys, sysconfig, zlib
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
print(sys.version_info[:2] == (3, 10) and os.path.exists(header) and sys.executable or "")
"""

UV = "0.13.9"
UV_AT_LEAST = (0, 8)


class Wheel(NamedTuple):
    """A wheel of the pinned uv: where it lies and what its bytes must hash to."""

    url: str
    sha256: str


INDEX = "https://pypi.org/simple/"
FILES = "https://files.pythonhosted.org/packages/"
WHEELS = {
    "x86_64": Wheel(
        FILES + "3d/aa/26d64642d808de4a652579ef950d7cd2d37f080a8babf9c67c6b75fc4c3f/"
        "uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    "aarch64": Wheel(
        FILES + "57/15/94b6cd62ac3ff6550288328e8035288875197cbc183f51554b266a69877b/"
        "uv-0.13.9-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
}


class Unavailable(Exception):
    """Something that the set-up needs cannot be had here; the message says what and what to do."""


def main() -> int:
    """Sets up `.venv`; returns the exit code."""
    started = time.monotonic()
    try:
        python = find_python()
        say("Python 3.10: " + (python or "none that works here, uv will download one"))
        uv = find_uv() or install_uv(python)
        say("uv: " + uv)
        sync(uv, python)
    except Unavailable as error:
        say(str(error))
        return 2
    say("the environment is ready in .venv ({:.0f} s)".format(time.monotonic() - started))
    return 0


def say(sentence: str) -> None:
    """Prints one line of progress."""
    print("setup: " + sentence, file=sys.stderr, flush=True)


def find_python() -> Optional[str]:
    """Absolute path of a Python 3.10 that really works, None where there is none.

    The name alone is not enough: pyenv puts a `python3.10` on the PATH that only prints an error.
    """
    for candidate in python_candidates():
        path = output_of([candidate, "-I", "-c", PROBE])
        if path:
            return os.path.abspath(path)
    return None


def python_candidates() -> Iterator[str]:
    """Interpreters worth asking: this one, those on the PATH, those of pyenv."""
    yield sys.executable
    for name in ("python3.10", "python3", "python"):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, name)
            if folder and os.access(path, os.X_OK) and not is_in_venv(path):
                yield path
    for root in (os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")):
        if root:
            yield from sorted(glob.glob(os.path.join(root, "versions", "3.10*", "bin", "python")))


def is_in_venv(path: str) -> bool:
    """Whether `path` belongs to the environment that is to be made (uv replaces it at need)."""
    return os.path.abspath(path).startswith(os.path.join(ROOT, ".venv") + os.sep)


def output_of(command: List[str]) -> str:
    """What `command` prints, stripped; "" where it cannot be started, fails or hangs."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def find_uv() -> Optional[str]:
    """A uv that is recent enough: the one on the PATH, or the one that an earlier call got."""
    for path in (shutil.which("uv"), os.path.join(TOOLS, "bin", "uv")):
        found = path and re.match(r"uv (\d+)\.(\d+)\.", output_of([path, "--version"]))
        if path and found and (int(found.group(1)), int(found.group(2))) >= UV_AT_LEAST:
            return path
    return None


def install_uv(python: Optional[str]) -> str:
    """Gets the pinned uv into `.tools`: through pip, which knows its mirrors, else from PyPI."""
    path = os.path.join(TOOLS, "bin", "uv")
    for interpreter in [sys.executable] + ([python] if python else []):
        pip = find_pip(interpreter)
        if pip and pip_install_uv(pip) and output_of([path, "--version"]):
            return path
    download_uv(WHEELS.get(platform.machine()), path)
    if not output_of([path, "--version"]):
        raise Unavailable(
            "expected the downloaded {} to run, it does not; put a uv >= {} on the PATH".format(
                path, UV
            )
        )
    return path


def find_pip(interpreter: str) -> Optional[List[str]]:
    """Command of a pip that `interpreter` has, or that its ensurepip makes in a venv of its own."""
    if output_of([interpreter, "-m", "pip", "--version"]):
        return [interpreter, "-m", "pip"]
    venv = os.path.join(TOOLS, "pip")
    made = [os.path.join(venv, "bin", "python"), "-m", "pip"]
    output_of([interpreter, "-m", "venv", "--clear", venv])
    return made if output_of([*made, "--version"]) else None


def pip_install_uv(pip: List[str]) -> bool:
    """Installs the pinned uv below `.tools`; where pip fails its own messages stay readable."""
    options = ["--quiet", "--disable-pip-version-check", "--upgrade", "--target", TOOLS]
    return subprocess.call([*pip, "install", *options, "uv==" + UV]) == 0


def download_uv(wheel: Optional[Wheel], path: str) -> None:
    """Downloads `wheel`, checks its SHA-256 and unpacks its `uv` program to `path`."""
    if wheel is None:
        raise Unavailable(
            "expected an x86_64 or aarch64 machine, received {}; put a uv >= {} on the PATH".format(
                platform.machine(), UV
            )
        )
    body = download(wheel.url)
    received = hashlib.sha256(body).hexdigest()
    if received != wheel.sha256:
        raise Unavailable(
            "expected {} to have SHA-256 {}, received {}; something between here and PyPI changes "
            "files: put a uv >= {} on the PATH".format(wheel.url, wheel.sha256, received, UV)
        )
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        program = archive.read("uv-{}.data/scripts/uv".format(UV))
    with open(path, "wb") as file:
        file.write(program)
    os.chmod(path, 0o755)


def download(url: str) -> bytes:
    """Body of `url`, through the proxies and certificates that the environment names."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.read()
    except OSError as error:  # URLError and a connection that breaks off are OSErrors
        raise Unavailable(
            "uv cannot be had: no pip here, and {} answered {}; put a uv >= {} on the PATH, or "
            "install pip, or set HTTPS_PROXY or SSL_CERT_FILE".format(url, error, UV)
        ) from None


def sync(uv: str, python: Optional[str]) -> None:
    """Lets uv install exactly what `uv.lock` says into `.venv`, bytecode compiled.

    TFX imports in 15 s with bytecode and in 50 s without it where PYTHONDONTWRITEBYTECODE is set.
    """
    command = [uv, "sync", "--frozen", "--compile-bytecode"]
    command += [part for extra in EXTRAS for part in ("--extra", extra)]
    command += ["--python", python] if python else ["--python", "3.10", "--managed-python"]
    code = subprocess.call(command, cwd=ROOT, env=uv_environment())
    if code != 0:
        raise Unavailable(sync_failure(code, python))


def uv_environment() -> Dict[str, str]:
    """The environment of uv: this one, with the system's certificates unless it says otherwise."""
    environment = dict(os.environ, UV_PROJECT_ENVIRONMENT=os.path.join(ROOT, ".venv"))
    names = ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS")  # the second is uv's older name of it
    chosen = next((os.environ[name] for name in names if name in os.environ), "1")
    return dict(environment, **dict.fromkeys(names, chosen))


def sync_failure(code: int, python: Optional[str]) -> str:
    """One sentence for a failed `uv sync`, with the missing piece where it can be told."""
    sentence = "uv sync ended with {}, its own message stands above; ".format(code)
    sentence += index_failure()
    if python is None:
        sentence += "install Python 3.10 (with its headers) if it could not be downloaded; "
    if shutil.which("c++") is None and shutil.which("g++") is None:
        sentence += "install a C++ compiler (Debian: g++), pyfarmhash is built from source; "
    return sentence + "then call make setup again, what is already downloaded is kept"


def index_failure() -> str:
    """What keeps the package index from being read, and the cure; "" where it answers."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
    url = next((os.environ[name] for name in names if os.environ.get(name)), INDEX)
    try:
        urllib.request.urlopen(url, timeout=20).close()
    except urllib.error.HTTPError:
        return ""  # it answers; what it lacks uv has named
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return (
                "the certificate of {} is not trusted here ({}): add your company's CA to the "
                "system's certificates, or name its file in SSL_CERT_FILE; ".format(url, reason)
            )
        return (
            "{} cannot be reached ({}): set HTTPS_PROXY to your proxy, or UV_DEFAULT_INDEX to your "
            "mirror; ".format(url, reason)
        )
    return ""


if __name__ == "__main__":
    sys.exit(main())
