"""The image: its contents, and its commands, each run in a clean directory and environment.

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
needs_uv = pytest.mark.skipif(UV is None, reason="needs uv: on the PATH, or from make setup")


@pytest.fixture(scope="module")
def stages():
    return dockerfile.read_stages(ROOT / "Dockerfile")


@pytest.fixture(scope="module")
def image(stages):
    return stages[-1]


def find_command(stages, program):
    """The command of the only RUN that calls `program`."""
    (run,) = [
        run for stage in stages for run in stage.values("RUN") if re.search(rf"\b{program}\b", run)
    ]
    return dockerfile.get_command(run)


def run_in_clean_environment(script, folder, **environment):
    """Runs `sh -c script` as a builder does: with only PATH, HOME and the given variables."""
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


def test_every_stage_has_the_supported_python(stages):
    version = PROJECT["project"]["requires-python"].removeprefix(">=").partition(",")[0]
    own_stages = {stage.name for stage in stages}
    bases = {stage.base for stage in stages} - own_stages
    assert bases == {f"python:{version}-slim-bookworm"}


def test_uv_has_the_version_of_the_bootstrap(stages):
    assert find_command(stages, "pip install --no-cache-dir").endswith(f" uv=={bootstrap.UV}")


def test_the_image_runs_as_an_unprivileged_user_and_writes_to_tmp_only(image):
    (user,) = image.values("USER")
    # runAsNonRoot cannot check names.
    assert all(int(part) >= 10000 for part in user.split(":"))
    assert dockerfile.get_environment(image)["HOME"] == "/tmp"
    assert image.values("WORKDIR") == ["/tmp"]
    assert not image.values("VOLUME")


def test_keras_2_and_the_environment_come_first(image):
    environment = dockerfile.get_environment(image)
    assert environment["TF_USE_LEGACY_KERAS"] == "1"
    assert environment["PATH"].startswith("/opt/tandem/bin:")


def test_no_secret_is_built_in(stages):
    for stage in stages:
        for name, value in stage.instructions:
            if name in ("ARG", "ENV"):
                assert not re.search(r"secret|token|password|credential|_key", value, re.IGNORECASE)


def test_packages_and_build_files_are_copied(stages):
    copied = [copy.split() for stage in stages[:-1] for copy in stage.values("COPY")]
    assert sorted(source for *sources, _ in copied for source in sources) == sorted(
        [*PACKAGES, "pyproject.toml", "setup.py", "uv.lock"]
    )


def test_the_build_context_has_only_copied_files(tmp_path):
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
    paths = {path for path in exclude_paths(str(tmp_path), patterns) if (tmp_path / path).is_file()}
    assert paths - {".dockerignore", "Dockerfile"} == {
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
    script = find_command(stages, "uv sync").replace("/opt/tandem", str(tmp_path / "tandem"))
    path = f"{tmp_path}:/usr/bin:/bin"
    completed = run_in_clean_environment(script, tmp_path, PATH=path, VARIANT=variant)
    assert completed.returncode == code
    if extras is None:
        assert "expected VARIANT to be cpu or gpu, received tpu" in completed.stderr
    else:
        assert re.findall(r"--extra (\w+)", completed.stdout) == extras.split()
        assert "--frozen" in completed.stdout.split()


def test_the_gpu_wheels_match_tensorflows_build():
    locked = {
        package["name"]: package.get("version", "")
        for package in tomli.loads((ROOT / "uv.lock").read_text())["package"]
    }
    distribution = importlib.metadata.distribution("tensorflow")
    path = distribution.locate_file("tensorflow/python/platform/build_info.py")
    build_info = runpy.run_path(str(path))["build_info"]  # without importing TensorFlow
    assert locked["nvidia-cuda-runtime-cu12"].startswith(f"{build_info['cuda_version']}.")
    assert locked["nvidia-cudnn-cu12"].startswith(f"{build_info['cudnn_version']}.")


@needs_uv
def test_the_lock_and_the_project_file_suffice_for_an_installation(stages, tmp_path):
    (sync,) = re.findall(r"uv sync [^&]*", find_command(stages, "uv sync"))
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    completed = run_in_clean_environment(
        f'{sync} --dry-run --offline --python "{sys.executable}"',
        tmp_path,
        PATH=f"{pathlib.Path(str(UV)).parent}:/usr/bin:/bin",
        UV_PROJECT_ENVIRONMENT=str(tmp_path / "environment"),
    )
    assert completed.returncode == 0, completed.stderr
    versions = dict(re.findall(r"^ \+ (\S+)==(\S+)$", completed.stderr, re.MULTILINE))
    assert {"tfx", "kfp", "boto3", "scann", "tensorflow-recommenders"} <= set(versions)
    assert not {"pytest", "ruff", "moto", "tandem", "faiss-cpu"} & set(versions)
    for name in ("tfx", "tensorflow", "apache-beam", "numpy"):
        assert versions[name] == importlib.metadata.version(name)


@pytest.fixture(scope="module")
def installed(stages, tmp_path_factory):
    """Folder of the packages, installed by the Dockerfile's command from the files it copies."""
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
    script = find_command(stages, "uv pip install")
    script = script.replace("/opt/tandem/bin/python", sys.executable)
    script = script.replace("/project", str(folder / "prefix"))
    environment = dockerfile.get_environment(stages[0]) | {
        "PATH": f"{pathlib.Path(str(UV)).parent}:/usr/bin:/bin",
        "UV_PYTHON": sys.executable,
        "UV_CACHE_DIR": subprocess.check_output([str(UV), "cache", "dir"], text=True).strip(),
        **{name: os.environ[name] for name in ("SSL_CERT_FILE",) if name in os.environ},
    }
    completed = run_in_clean_environment(script, folder, **environment)
    assert completed.returncode == 0, completed.stderr
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
        copied = {
            path.relative_to(installed)
            for path in (installed / package).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        assert copied == sources
        assert len(sources) > 5


@needs_uv
def test_the_bytecode_does_not_depend_on_file_times(installed):
    for source in (installed / "pipeline").rglob("*.py"):
        compiled = pathlib.Path(importlib.util.cache_from_source(str(source)))
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01  # PEP 552: unchecked hash


@needs_uv
def test_tandem_runs_outside_of_the_checkout(installed, tmp_path):
    program = installed.parents[2] / "bin" / "tandem"
    completed = run_in_clean_environment(f"{program} --help", tmp_path, PYTHONPATH=str(installed))
    assert completed.returncode == 0, completed.stderr
    assert "serve" in completed.stdout
    script = f'"{sys.executable}" -c "import pipeline.cli; print(pipeline.cli.__file__)"'
    completed = run_in_clean_environment(script, tmp_path, PYTHONPATH=str(installed))
    assert completed.stdout.strip() == str(installed / "pipeline" / "cli" / "__init__.py")
    completed = run_in_clean_environment(
        f"{program} recipes hm", tmp_path, PYTHONPATH=str(installed)
    )
    assert tomli.loads(completed.stdout)["name"] == "hm"
