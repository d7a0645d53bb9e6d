"""The image: what it is made of, and its commands, each run in a clean directory and environment.

`make check` lints the Dockerfile (hadolint); `benchmarks.image` builds it.
"""

import importlib.metadata
import importlib.util
import os
import pathlib
import re
import runpy
import shutil
import subprocess
import sys

import pytest
import tomli
from docker.utils.build import exclude_paths

import bootstrap
from tests.deploy import dockerfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = tomli.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["importlinter"]["root_packages"]
UV = bootstrap.find_uv()
needs_uv = pytest.mark.skipif(UV is None, reason="needs uv: on the PATH, or got by make setup")


@pytest.fixture(scope="module")
def stages():
    return dockerfile.stages(ROOT / "Dockerfile")


@pytest.fixture(scope="module")
def image(stages):
    return stages[-1]


def command(stages, program):
    """The one RUN that calls `program`, without its options."""
    (run,) = [
        run for stage in stages for run in stage.values("RUN") if re.search(rf"\b{program}\b", run)
    ]
    return dockerfile.shell(run)


def in_clean_environment(script, folder, **environment):
    """`sh -c script` as a builder runs it: nothing set but a PATH and what is given."""
    (folder / "home").mkdir(exist_ok=True)
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(folder / "home")} | environment
    return subprocess.run(
        ["/bin/sh", "-c", script],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=variables,
    )


def test_every_stage_has_the_python_of_the_version_set(stages):
    wanted = PROJECT["project"]["requires-python"].removeprefix(">=").partition(",")[0]
    made_by_us = {stage.name for stage in stages}
    bases = {stage.base for stage in stages} - made_by_us
    assert bases == {f"python:{wanted}-slim-bookworm"}


def test_uv_is_the_one_of_the_bootstrap(stages):
    assert command(stages, "pip install --no-cache-dir").endswith(f" uv=={bootstrap.UV}")


def test_the_image_runs_as_nobody_known_and_writes_into_tmp_alone(image):
    (user,) = image.values("USER")
    assert all(
        int(part) >= 10000 for part in user.split(":")
    )  # a name cannot be checked by runAsNonRoot
    assert dockerfile.environment(image)["HOME"] == "/tmp"
    assert image.values("WORKDIR") == ["/tmp"]
    assert not image.values("VOLUME")


def test_keras_2_and_the_environment_come_first(image):
    found = dockerfile.environment(image)
    assert found["TF_USE_LEGACY_KERAS"] == "1"
    assert found["PATH"].startswith("/opt/tandem/bin:")


def test_no_secret_is_built_in(stages):
    for stage in stages:
        for name, value in stage.instructions:
            if name in ("ARG", "ENV"):
                assert not re.search(r"secret|token|password|credential|_key", value, re.IGNORECASE)


def test_the_packages_are_copied_and_what_they_need_to_be_built(stages):
    copied = [copy.split() for stage in stages[:-1] for copy in stage.values("COPY")]
    assert sorted(source for *sources, _ in copied for source in sources) == sorted(
        [*PACKAGES, "pyproject.toml", "setup.py", "uv.lock"]
    )


def test_the_context_is_what_is_copied(tmp_path):
    for name in [
        *(f"{package}/module.py" for package in PACKAGES), "schema/curated/a.pbtxt",
        "pyproject.toml", "setup.py", "uv.lock",
        ".git/config", ".venv/bin/python", ".tools/bin/uv", "runs/shop/summary.json",
        "secret.env", "tests/conftest.py", "tandem.egg-info/PKG-INFO", "schema/__pycache__/a.pyc",
    ]:  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    found = {path for path in exclude_paths(str(tmp_path), patterns) if (tmp_path / path).is_file()}
    assert found - {".dockerignore", "Dockerfile"} == {
        *(f"{package}/module.py" for package in PACKAGES), "schema/curated/a.pbtxt",
        "pyproject.toml", "setup.py", "uv.lock",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variant", "code", "extras"),
    [("cpu", 0, "kfp s3"), ("gpu", 0, "kfp s3 gpu"), ("tpu", 2, None)],
)
def test_the_variant_chooses_the_extras(stages, tmp_path, variant, code, extras):
    stub = tmp_path / "uv"
    stub.write_text('#!/bin/sh\necho "$@"\n')
    stub.chmod(0o755)
    script = command(stages, "uv sync").replace("/opt/tandem", str(tmp_path / "tandem"))
    path = f"{tmp_path}:/usr/bin:/bin"
    done = in_clean_environment(script, tmp_path, PATH=path, VARIANT=variant)
    assert done.returncode == code
    if extras is None:
        assert "expected VARIANT to be cpu or gpu, received tpu" in done.stderr
    else:
        assert re.findall(r"--extra (\w+)", done.stdout) == extras.split()
        assert "--frozen" in done.stdout.split()


def test_the_gpu_wheels_are_those_that_tensorflow_was_built_for():
    locked = {
        package["name"]: package.get("version", "")
        for package in tomli.loads((ROOT / "uv.lock").read_text())["package"]
    }
    distribution = importlib.metadata.distribution("tensorflow")
    path = distribution.locate_file("tensorflow/python/platform/build_info.py")
    built = runpy.run_path(str(path))["build_info"]  # without importing TensorFlow around it
    assert locked["nvidia-cuda-runtime-cu12"].startswith(f"{built['cuda_version']}.")
    assert locked["nvidia-cudnn-cu12"].startswith(f"{built['cudnn_version']}.")


@needs_uv
def test_the_lock_and_the_project_file_are_enough_to_install_from(stages, tmp_path):
    (sync,) = re.findall(r"uv sync [^&]*", command(stages, "uv sync"))
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    done = in_clean_environment(
        f'{sync} --dry-run --offline --python "{sys.executable}"',
        tmp_path,
        PATH=f"{pathlib.Path(str(UV)).parent}:/usr/bin:/bin",
        UV_PROJECT_ENVIRONMENT=str(tmp_path / "environment"),
    )
    assert done.returncode == 0, done.stderr
    installed = dict(re.findall(r"^ \+ (\S+)==(\S+)$", done.stderr, re.MULTILINE))
    assert {"tfx", "kfp", "boto3", "scann", "tensorflow-recommenders"} <= set(installed)
    assert not {"pytest", "ruff", "moto", "tandem", "faiss-cpu"} & set(installed)
    for name in ("tfx", "tensorflow", "apache-beam", "numpy"):
        assert installed[name] == importlib.metadata.version(name)


@pytest.fixture(scope="module")
def installed(stages, tmp_path_factory):
    """Folder of the packages, installed by the Dockerfile's command from what it copies."""
    folder = tmp_path_factory.mktemp("project")
    for copy in stages[0].values("COPY") + stages[1].values("COPY"):
        *sources, _ = copy.split()
        for source in sources:
            path = ROOT / source
            if path.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, folder / source, ignore=ignored)
            else:
                shutil.copy(path, folder)
    script = command(stages, "uv pip install")
    script = script.replace("/opt/tandem/bin/python", sys.executable)
    script = script.replace("/project", str(folder / "prefix"))
    environment = dockerfile.environment(stages[0]) | {
        "PATH": f"{pathlib.Path(str(UV)).parent}:/usr/bin:/bin",
        "UV_PYTHON": sys.executable,
        "UV_CACHE_DIR": subprocess.check_output([str(UV), "cache", "dir"], text=True).strip(),
        **{name: os.environ[name] for name in ("SSL_CERT_FILE",) if name in os.environ},
    }
    done = in_clean_environment(script, folder, **environment)
    assert done.returncode == 0, done.stderr
    (packages,) = (folder / "prefix" / "lib").glob("python3.10/site-packages")
    return packages


@needs_uv
def test_the_image_has_every_file_of_every_package(installed):
    for package in PACKAGES:
        sources = {
            path.relative_to(ROOT)
            for path in (ROOT / package).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        there = {
            path.relative_to(installed)
            for path in (installed / package).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        assert there == sources
        assert len(sources) > 5


@needs_uv
def test_the_bytecode_is_there_and_goes_by_no_file_times(installed):
    for source in (installed / "pipeline").rglob("*.py"):
        compiled = pathlib.Path(importlib.util.cache_from_source(str(source)))
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01  # PEP 552: by hash, which is not looked at


@needs_uv
def test_tandem_answers_outside_of_the_checkout(installed, tmp_path):
    program = installed.parents[2] / "bin" / "tandem"
    done = in_clean_environment(f"{program} --help", tmp_path, PYTHONPATH=str(installed))
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout
    asked = f'"{sys.executable}" -c "import pipeline.cli; print(pipeline.cli.__file__)"'
    done = in_clean_environment(asked, tmp_path, PYTHONPATH=str(installed))
    assert done.stdout.strip() == str(installed / "pipeline" / "cli" / "__init__.py")
    shown = in_clean_environment(f"{program} recipes hm", tmp_path, PYTHONPATH=str(installed))
    assert tomli.loads(shown.stdout)["name"] == "hm"
