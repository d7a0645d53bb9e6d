"""`tandem doctor`: checks that the environment has what Tandem needs."""

import importlib
import importlib.metadata
import os
import pathlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from packaging.requirements import Requirement

GIB = 1024**3
NVIDIA_DRIVER = pathlib.Path("/proc/driver/nvidia/version")
REINSTALL = "call `make setup`, or install tandem into a fresh Python 3.10 environment"


class EnvironmentCheck(NamedTuple):
    """The outcome of one check; `advice` is what to do, and empty when `status` is "ok"."""

    name: str
    status: Literal["ok", "warn", "FAIL"]
    message: str
    advice: str = ""


def examine(folder: pathlib.Path) -> Iterator[EnvironmentCheck]:
    """Runs all checks, in order of dependence; `folder` is where runs are written.

    Imports TensorFlow: the caller must have set TF_USE_LEGACY_KERAS, as the command line does.
    """
    yield check_python(sys.version_info[:3])
    yield check_requirements(importlib.metadata.requires("tandem") or [])
    yield check_keras()
    yield check_scann()
    yield check_text()
    yield check_accelerators()
    yield check_disk(folder)


def check_python(version: tuple[int, ...]) -> EnvironmentCheck:
    """Whether `version` (major, minor, …) is the one that the locked requirements support."""
    version_text = ".".join(map(str, version))
    if version[:2] == (3, 10):
        return EnvironmentCheck("Python", "ok", version_text)
    return EnvironmentCheck("Python", "FAIL", f"{version_text}, expected 3.10", REINSTALL)


def check_requirements(required: Iterable[str]) -> EnvironmentCheck:
    """Whether installed packages fit `required` (PEP 508 strings), without those of extras."""
    wanted = [Requirement(text) for text in required]
    wanted = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    misfits = [problem for problem in map(_find_misfit, wanted) if problem]
    if misfits:
        return EnvironmentCheck("versions", "FAIL", "; ".join(misfits), REINSTALL)
    return EnvironmentCheck("versions", "ok", f"all {len(wanted)} requirements fit together")


def _find_misfit(requirement: Requirement) -> str:
    try:
        installed = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing, expected {requirement.specifier}"
    if requirement.specifier.contains(installed, prereleases=True):
        return ""
    return f"{requirement.name} is {installed}, expected {requirement.specifier}"


def check_keras() -> EnvironmentCheck:
    """Whether `tf.keras` is Keras 2, which TFRS and TFX are written for."""
    failure = _find_import_failure("tensorflow")
    if failure:
        return EnvironmentCheck("Keras 2", "FAIL", failure, REINSTALL)
    import tensorflow as tf

    # tf.keras has a version or not, depending on what was imported before
    version = sys.modules[tf.keras.Model.__module__.partition(".")[0]].__version__
    if version.startswith("2."):
        return EnvironmentCheck("Keras 2", "ok", f"{version} (TensorFlow {tf.__version__})")
    advice = "set TF_USE_LEGACY_KERAS=1 before TensorFlow is first imported"
    return EnvironmentCheck("Keras 2", "FAIL", f"tf.keras is {version}, expected 2", advice)


def check_scann() -> EnvironmentCheck:
    """Whether ScaNN's TensorFlow operations load and find the planted neighbour."""
    failure = _find_import_failure("scann")
    if failure:
        return EnvironmentCheck("ScaNN", "FAIL", failure, REINSTALL)
    import tensorflow as tf
    from scann.scann_ops.py import scann_ops

    vectors = tf.eye(32)  # each vector is its own nearest neighbour by dot product
    searcher = scann_ops.builder(vectors, 1, "dot_product").score_brute_force().build()
    neighbours = searcher.search_batched(vectors[5:6])[0].numpy().tolist()
    if neighbours == [[5]]:
        return EnvironmentCheck(
            "ScaNN", "ok", "built an index of 32 vectors and found the planted one"
        )
    return EnvironmentCheck("ScaNN", "FAIL", f"found row {neighbours}, expected [[5]]", REINSTALL)


def check_text() -> EnvironmentCheck:
    """Whether tensorflow-text's operations load and split a title into words."""
    failure = _find_import_failure("tensorflow_text")
    if failure:
        return EnvironmentCheck("tensorflow-text", "FAIL", failure, REINSTALL)
    import tensorflow_text

    words = tensorflow_text.WhitespaceTokenizer().tokenize(["two towers"]).to_list()
    if words == [[b"two", b"towers"]]:
        return EnvironmentCheck("tensorflow-text", "ok", 'split "two towers" into two words')
    return EnvironmentCheck("tensorflow-text", "FAIL", f'made {words} of "two towers"', REINSTALL)


def _find_import_failure(module: str) -> str:
    """Why `module` does not load, "" where it does.

    A library compiled against another version shows as any of these: TensorFlow's NotFoundError for
    operations, AttributeError for NumPy's, TypeError for protobuf's.
    """
    try:
        from tensorflow.python.framework.errors_impl import OpError
    except (ImportError, AttributeError, TypeError) as error:
        return f"tensorflow does not load: {_get_first_line(error)}"
    try:
        importlib.import_module(module)
    except (ImportError, AttributeError, TypeError, OpError) as error:
        return f"{module} does not load: {_get_first_line(error)}"
    return ""


def _get_first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def check_accelerators() -> EnvironmentCheck:
    """TensorFlow's accelerators; warns of an NVIDIA driver that it does not use."""
    failure = _find_import_failure("tensorflow")
    if failure:
        return EnvironmentCheck("accelerators", "FAIL", failure, REINSTALL)
    import tensorflow as tf

    devices = [d.name for kind in ("GPU", "TPU") for d in tf.config.list_physical_devices(kind)]
    if devices:
        return EnvironmentCheck("accelerators", "ok", ", ".join(devices))
    cores = f"none, {len(os.sched_getaffinity(0))} CPU cores"
    if NVIDIA_DRIVER.exists():
        advice = 'install CUDA\'s libraries together with TensorFlow: pip install "tandem[gpu]"'
        return EnvironmentCheck(
            "accelerators", "warn", f"{cores}; an NVIDIA driver is not used", advice
        )
    return EnvironmentCheck("accelerators", "ok", cores)


def check_disk(folder: pathlib.Path, least: int = GIB, enough: int = 5 * GIB) -> EnvironmentCheck:
    """Free bytes at `folder`: fails below `least`, warns below `enough`."""
    free = shutil.disk_usage(folder).free
    text = f"{free / GIB:.1f} GiB free at {folder}"
    advice = f"make room for {enough / GIB:.0f} GiB, or keep runs elsewhere with --root"
    if free < least:
        return EnvironmentCheck("disk", "FAIL", text, advice)
    return (
        EnvironmentCheck("disk", "warn", text, advice)
        if free < enough
        else EnvironmentCheck("disk", "ok", text)
    )
