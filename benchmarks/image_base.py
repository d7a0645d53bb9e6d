"""A substitute for the base image, for machines that cannot reach a registry.

    python -m benchmarks.image_base        # as root; needs debootstrap and buildah

Debian bookworm from Debian's archive, with this environment's base Python 3.10 in /usr/local, under
the name in the Dockerfile's FROM line. As in the image that it replaces, the standard library has
no bytecode and no tests.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

NAME = "docker.io/library/python:3.10-slim-bookworm"
# Libraries that CPython's extension modules link to, and the other packages of the published image.
PACKAGES = (
    "ca-certificates,netbase,tzdata,libbz2-1.0,libexpat1,libffi8,libgdbm6,liblzma5,libncursesw6,"
    "libnsl2,libreadline8,libsqlite3-0,libssl3,libtirpc3,libuuid1,zlib1g"
)
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def main() -> None:
    """Builds the image and prints its name."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "root"
        packages = f"--include={PACKAGES}"
        _run("debootstrap", "--variant=minbase", packages, "bookworm", str(root))
        add_python(root / "usr" / "local")
        _run("chroot", str(root), "ldconfig")
        trusted = os.environ.get("SSL_CERT_FILE")
        if trusted:
            shutil.copy(trusted, root / CERTIFICATES.lstrip("/"))
        commit(root)
    print(NAME)


def add_python(local: pathlib.Path) -> None:
    """Copies this environment's interpreter to `local` and corrects the first lines of its
    scripts.
    """
    base = pathlib.Path(sys.base_prefix)
    ignored = shutil.ignore_patterns("test", "tests", "idle_test", "*.pyc", "*.pth", "libpython*.a")
    shutil.copytree(base, local, symlinks=True, ignore=ignored, dirs_exist_ok=True)
    for script in (local / "bin").glob("pip*"):
        lines = script.read_text(encoding="utf-8").splitlines(keepends=True)
        script.write_text("#!/usr/local/bin/python3.10\n" + "".join(lines[1:]), encoding="utf-8")


def commit(root: pathlib.Path) -> None:
    """Creates an image from the folder."""
    container = _run("buildah", "from", "scratch")
    _run("buildah", "add", container, str(root), "/")
    environment = (
        "PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin",
        "LANG=C.UTF-8",
        f"SSL_CERT_FILE={CERTIFICATES}",
        f"PIP_CERT={CERTIFICATES}",
    )
    settings = [part for pair in environment for part in ("--env", pair)]
    _run("buildah", "config", *settings, container)
    _run("buildah", "commit", "--rm", container, NAME)


def _run(*command: str) -> str:
    completed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return completed.stdout.strip()


if __name__ == "__main__":
    main()
