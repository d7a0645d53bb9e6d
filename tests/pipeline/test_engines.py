"""Engines: the local modes, and workers that have only the installed package."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from components.ingest import interactions
from components.ingest.output import counts
from pipeline.config.config import BeamConfig
from schema.dataset import Dataset

pytestmark = pytest.mark.e2e

CHECKOUT = pathlib.Path(__file__).parents[2]
PACKAGES = ("schema", "trainer", "serving", "components", "pipeline")
T0 = 1_600_000_000
EVENTS = 300


@pytest.fixture
def data(tmp_path) -> str:
    """Three files of a log with one invalid line."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [f"u{n % 17},i{n % 23},{T0 + n}\n" for n in range(EVENTS)]
    for part in range(3):
        (folder / f"log-{part}.csv").write_text("".join(rows[part::3]))
    with (folder / "log-0.csv").open("a") as log:
        log.write("u1,i1\n")
    return str(folder)


def ingest(data: str, root: pathlib.Path, arguments: list[str]) -> dict[str, bytes]:
    """Runs, checks the counts, and returns the histories by file name."""
    source = {"path": "log-*.csv", "columns": ["user_id", "item_id", "timestamp"]}
    described = Dataset.model_validate(
        {"data": {"interactions": source, "items": {"path": "items.csv"}}}
    )
    paths = [str(root / name) for name in ("examples", "histories", "rejected")]
    with beam.Pipeline(options=PipelineOptions(arguments)) as pipeline:
        interactions.build(pipeline, described, data, *paths)
    result = counts.load(paths[0])
    log = result.tables["interactions"]
    assert (log.read, log.accepted, log.rejected, log.duplicates) == (EVENTS + 1, EVENTS, 1, 0)
    assert (result.totals["train"], result.totals["valid"], result.totals["test"]) == (240, 30, 30)
    return {file.name: file.read_bytes() for file in (root / "histories").iterdir()}


@pytest.fixture
def expected(data, tmp_path) -> dict[str, bytes]:
    """The result with one thread."""
    return ingest(data, tmp_path / "one", BeamConfig().pipeline_args)


@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
def test_many_workers_give_what_one_gives(data, expected, tmp_path, mode):
    many = BeamConfig(args=[f"--direct_running_mode={mode}", "--direct_num_workers=2"])
    assert ingest(data, tmp_path / "many", many.pipeline_args) == expected


@pytest.fixture(scope="module")
def clean_python(tmp_path_factory) -> pathlib.Path:
    """Python of a new environment with the package installed from its source distribution. The
    dependencies, which are large, are those of this environment.
    """
    home = tmp_path_factory.mktemp("packaging")
    source = home / "source"
    source.mkdir()
    for name in (*PACKAGES, "setup.py", "pyproject.toml", "LICENSE"):
        copy = shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copy
        copy(CHECKOUT / name, source / name)
    _run(sys.executable, "setup.py", "-q", "sdist", "--dist-dir", str(home), cwd=source)
    [archive] = home.glob("tandem-*.tar.gz")
    shutil.unpack_archive(archive, home / "unpacked")
    [unpacked] = (home / "unpacked").iterdir()
    _run(sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", str(home), cwd=unpacked)
    [wheel] = home.glob("tandem-*.whl")
    venv.create(home / "env", with_pip=True, symlinks=True)
    python = home / "env" / "bin" / "python"
    install = ("-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel))
    _run(str(python), *install, cwd=home)
    return python


def test_the_package_is_complete(clean_python):
    code = (
        "import importlib, pathlib, pkgutil, sys\n"
        f"for name in {PACKAGES!r}:\n"
        "    package = importlib.import_module(name)\n"
        "    assert package.__file__.startswith(sys.prefix), package.__file__\n"
        "    print(*(m.name for m in pkgutil.walk_packages(package.__path__, name + '.')))\n"
        "curated = pathlib.Path(importlib.import_module('schema').__file__).parent / 'curated'\n"
        "print(*(file.name for file in curated.glob('*.pbtxt')))\n"
    )
    received = set(_run(str(clean_python), "-c", code, cwd=clean_python.parent).split())
    modules = {
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
        for name in PACKAGES
        for path in (CHECKOUT / name).rglob("*.py")
    }
    curated = {path.name for path in (CHECKOUT / "schema" / "curated").glob("*.pbtxt")}
    assert modules - set(PACKAGES) | curated <= received


@pytest.fixture
def worker_pool(clean_python) -> Iterator[str]:
    """Address of a Beam worker pool in the clean environment, as deployed next to a Flink or Spark
    worker.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    module = "apache_beam.runners.worker.worker_pool_main"
    pool = subprocess.Popen(
        [str(clean_python), "-m", module, f"--service_port={address.partition(':')[2]}"],
        cwd=clean_python.parent,
        # The pool starts its workers with the first `python` of the PATH.
        env={**_environment(), "PATH": f"{clean_python.parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(address)
        yield address
    finally:
        pool.terminate()
        pool.wait()


@pytest.mark.timeout(300)
def test_workers_of_a_clean_environment_do_the_work(data, expected, tmp_path, worker_pool):
    remote = [
        "--job_endpoint=embed",
        "--environment_type=EXTERNAL",
        f"--environment_config={worker_pool}",
        "--sdk_container_image=none",
    ]
    config = BeamConfig(runner="PortableRunner", args=remote)
    assert ingest(data, tmp_path / "remote", config.pipeline_args) == expected


def _run(*command: str, cwd: pathlib.Path) -> str:
    completed = subprocess.run(
        command, cwd=cwd, env=_environment(), capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def _environment() -> dict[str, str]:
    """Links to the third-party packages of this environment, without a path to the checkout."""
    own = {"PYTHONPATH": sysconfig.get_path("purelib"), "TF_USE_LEGACY_KERAS": "1"}
    return {**os.environ, **own}


def _wait_for(address: str) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"expected a worker pool at {address} within two minutes, found none")
