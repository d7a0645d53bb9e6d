"""A MinIO server beside the tests: built once by Go, and skipped with the reason where Go is not at
hand.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
BUILD_SECONDS = 900
START_SECONDS = 60


def find_program() -> pathlib.Path:
    """The server's program in the user's cache, built there if necessary."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    folder = cache / "tandem-tests" / f"minio-{VERSION}"
    if not (folder / "minio").exists():
        if shutil.which("go") is None:
            pytest.skip("needs MinIO, which needs Go to be built: found no go on the PATH")
        _build(folder)
    return folder / "minio"


def _build(folder: pathlib.Path) -> None:
    making = folder.with_name(f"{folder.name}.making-{os.getpid()}")
    command = ["go", "install", f"github.com/minio/minio@{VERSION}"]
    try:
        subprocess.run(
            command, env=os.environ | {"GOBIN": str(making)}, check=True, timeout=BUILD_SECONDS,
            capture_output=True, text=True,
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"needs MinIO, which could not be built: {error}: {str(error.stderr)[-300:]}")
    folder.mkdir(parents=True, exist_ok=True)
    (making / "minio").replace(folder / "minio")
    making.rmdir()


class Minio:
    """A server on a folder, at one address also after it was started again."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path) -> None:
        self._program = program
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    @property
    def environment(self) -> dict[str, str]:
        """What clients read."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "tandem-tests",
            "AWS_SECRET_ACCESS_KEY": "tandem-tests",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        command = [str(self._program), "server", "--quiet", "--address", self._address]
        root = {"MINIO_ROOT_USER": "tandem-tests", "MINIO_ROOT_PASSWORD": "tandem-tests"}
        self._process = subprocess.Popen(
            [*command, "--console-address", "127.0.0.1:0", str(self._folder)],
            env=os.environ | root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert time.monotonic() < end, "expected MinIO to answer"
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/minio/health/ready", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def kill(self) -> None:
        """Ends the server without a warning."""
        self._signal(signal.SIGKILL).wait()

    def pause(self) -> None:
        """It accepts connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Ends the pause."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> subprocess.Popen:
        assert self._process is not None, "it has been started"
        self._process.send_signal(number)
        return self._process
