"""Arguments that `tandem compile` and `tandem submit` share, and the compilation from them."""

import argparse
import importlib.util
import pathlib
import re
import warnings
from typing import NamedTuple

from pipeline.cli import arguments
from schema.errors import UsageError
from schema.storage.locations import READABLE_SCHEMES, parse_task_location


def add_arguments(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Adds `--config`, `--set`, `--image`, `--data` and `--root`; `required` applies to the
    first.
    """
    arguments.add_config(parser, required=required)
    parser.add_argument("--image", help="container image with Tandem installed")
    arguments.add_location(
        parser,
        "--data",
        lambda text: parse_task_location(text, READABLE_SCHEMES),
        default="/data",
        help="folder or URI of the data, as the cluster sees it (default: /data)",
    )
    arguments.add_location(
        parser,
        "--root",
        parse_task_location,
        default="/tandem",
        help="folder or URI of the outputs, as the cluster sees it (default: /tandem)",
    )


class CompiledDocument(NamedTuple):
    """What the verbs print about a compiled document."""

    tasks: list[str]
    """Components that run as tasks, sorted."""
    unlimited: list[str]
    """Tasks without a memory limit, which may use all memory of their nodes."""

    @property
    def warning(self) -> str:
        """One sentence; "" if every task has a limit."""
        if not self.unlimited:
            return ""
        return (
            f"warning: no memory limit for {', '.join(self.unlimited)}: when a node runs out of "
            "memory, any of its pods may be killed; set memory_limit in [kubeflow.resources]"
        )


def compile_document(out: pathlib.Path, args: argparse.Namespace) -> CompiledDocument:
    """Compiles the pipeline as the arguments describe it, and writes the document to `out`."""
    require_kfp()
    _check_image(args.image)
    # TFX imports a client of Google Cloud for one name, and the client warns about its version.
    warnings.filterwarnings("ignore", "Support for google-cloud-storage", FutureWarning)
    from pipeline.config.config import load_config

    loaded = load_config(args.config, args.overrides)
    # Imported late: TFX takes seconds, and errors in the configuration should show at once.
    from pipeline.kubeflow.compile import compile_pipeline

    tasks = compile_pipeline(out, loaded, args.image, args.data, args.root)
    get_resources = loaded.kubeflow.get_resources
    unlimited = [task for task in tasks if get_resources(task).memory_limit is None]
    return CompiledDocument(tasks, unlimited)


def require_kfp() -> None:
    """Raises UsageError if kfp is not installed, which both verbs need."""
    if importlib.util.find_spec("kfp") is None:
        raise UsageError(
            "expected the package kfp, found none; install it with: pip install 'tandem[kfp]'"
        )


def _check_image(image: str | None) -> None:
    """Raises UsageError for a missing image, and for characters that no image name has."""
    if image is None:
        raise UsageError(
            "expected the container image that tasks run in, received none; "
            "build it with the Dockerfile and give its name with --image"
        )
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._/:@-]*", image):
        raise UsageError(
            "--image expects the name of a container image such as registry.example/tandem:1, "
            f"received {image!r}; give the name of your image"
        )
