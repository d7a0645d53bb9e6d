"""Arguments of both `tandem compile` and `tandem submit`, and the compilation from them."""

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
    """`--config`, `--set`, `--image`, `--data` and `--root`; `required` is for the first."""
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
    """What the verbs print about a document."""

    tasks: list[str]
    """Components that run as tasks, sorted."""
    unlimited: list[str]
    """Those of them without a memory limit, which may use all memory of their nodes."""

    @property
    def warning(self) -> str:
        """One sentence, or "" where every task has a limit."""
        if not self.unlimited:
            return ""
        return (
            f"warning: no memory limit for {', '.join(self.unlimited)}: where a node runs out of "
            "memory any of its pods may be ended; set memory_limit in [kubeflow.resources]"
        )


def compile_document(out: pathlib.Path, args: argparse.Namespace) -> CompiledDocument:
    """Writes the document of the arguments at `out`."""
    require_kfp()
    _check_image(args.image)
    # TFX imports a client of Google's cloud to read one name from it, and the client complains.
    warnings.filterwarnings("ignore", "Support for google-cloud-storage", FutureWarning)
    from pipeline.config.config import load_config

    loaded = load_config(args.config, args.overrides)
    # Imported late: TFX takes seconds, and errors of the configuration come before.
    from pipeline.kubeflow.compile import compile_pipeline

    tasks = compile_pipeline(out, loaded, args.image, args.data, args.root)
    get_resources = loaded.kubeflow.get_resources
    unlimited = [task for task in tasks if get_resources(task).memory_limit is None]
    return CompiledDocument(tasks, unlimited)


def require_kfp() -> None:
    """Raises UsageError where the package is not installed that both verbs need."""
    if importlib.util.find_spec("kfp") is None:
        raise UsageError(
            "expected the package kfp, found none; install it with: pip install 'tandem[kfp]'"
        )


def _check_image(image: str | None) -> None:
    """Checks the characters of its registry, name, tag and digest."""
    if image is None:
        raise UsageError(
            "expected the container image that tasks run in, received none; "
            "build it by the Dockerfile and give its name with --image"
        )
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._/:@-]*", image):
        raise UsageError(
            "--image expects the name of a container image such as registry.example/tandem:1, "
            f"received {image!r}"
        )
