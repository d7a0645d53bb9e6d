"""`tandem submit`: uploads a pipeline to Kubeflow Pipelines, and runs or schedules it."""

import argparse
import contextlib
import datetime
import json
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from pipeline.cli import arguments, kubeflow_arguments
from schema.errors import UsageError

_MAX_EXPERIMENT_LENGTH = 128  # backend/src/apiserver/validation/length.go
SUMMARY = "upload the pipeline to Kubeflow Pipelines and run it there"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument("--endpoint", required=True, help="URL of Kubeflow Pipelines")
    arguments.add_location(parser, "--package", help="a document written by `tandem compile`")
    kubeflow_arguments.add_arguments(parser, required=False)
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", dest="parameters",
        help="value of a run parameter, instead of the compiled one; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--experiment", default="Default", help="experiment of the run (default: Default)"
    )
    parser.add_argument("--run-name", help="name of the run (default: the pipeline's and the time)")
    parser.add_argument(
        "--recurring",
        metavar="CRON",
        help="create a recurring run with this cron expression: six fields, seconds first",
    )
    arguments.add_location(parser, "--token-file", help="file with the bearer token of the server")
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Submits the pipeline; prints the run's id and URL."""
    kubeflow_arguments.require_kfp()
    _check_arguments(args)
    token = _read_token(args.token_file)
    with _open_package(args) as package:
        ids = _submit(args, package, token)
    endpoint = args.endpoint.rstrip("/")
    kind = "recurring_run" if args.recurring else "run"
    page = "recurringrun" if args.recurring else "runs"
    url = f"{endpoint}/#/{page}/details/{ids[kind]}"
    if args.json:
        print(json.dumps(ids | {"url": url}))
    else:
        print(f"{kind.replace('_', ' ')} {ids[kind]}: {url}")
    return 0


def _check_arguments(args: argparse.Namespace) -> None:
    if not re.match(r"https?://[^/]", args.endpoint):
        raise UsageError(
            f"--endpoint expects a URL such as http://localhost:8080, received {args.endpoint!r}; "
            "add the scheme"
        )
    if (args.package is None) == (args.config is None):
        raise UsageError(
            "expected either --package or --config, received both or neither; give one of them"
        )
    if not 1 <= len(args.experiment) <= _MAX_EXPERIMENT_LENGTH:
        raise UsageError(
            f"expected --experiment with 1 to {_MAX_EXPERIMENT_LENGTH} characters, as KFP "
            f"requires, received {len(args.experiment)}; choose another name"
        )
    if args.recurring is not None and len(args.recurring.split()) != 6:
        raise UsageError(
            'expected a cron of six fields, seconds first, such as "0 30 4 * * *", '
            f"received --recurring {args.recurring!r}; write all six"
        )


def _read_token(path: pathlib.Path | None) -> str | None:
    try:
        return None if path is None else path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(
            f"expected a token in --token-file {path}, received: {error.strerror}; "
            "give another file"
        ) from error


@contextlib.contextmanager
def _open_package(args: argparse.Namespace) -> Iterator[pathlib.Path]:
    """The document of `--package`, or a temporary one compiled from `--config`."""
    if args.package is not None:
        yield args.package
        return
    with tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        path = pathlib.Path(folder, "pipeline.yaml")
        compiled = kubeflow_arguments.compile_document(path, args)
        if compiled.warning:
            print(f"tandem: {compiled.warning}", file=sys.stderr)
        yield path


def _submit(args: argparse.Namespace, package: pathlib.Path, token: str | None) -> dict[str, Any]:
    from pipeline.kubeflow.document import read_document
    from pipeline.kubeflow.parameters import parse_parameters
    from pipeline.kubeflow.submit import Submission, submit_pipeline

    spec = read_document(package)
    name = spec.pipeline_info.name
    now = datetime.datetime.now(datetime.timezone.utc)
    submission = Submission(
        package=package,
        pipeline=name,
        experiment=args.experiment,
        run=args.run_name or f"{name} {now:%Y-%m-%d %H:%M:%S}",
        parameters=parse_parameters(args.parameters, spec.root.input_definitions.parameters),
        root=spec.default_pipeline_root,
        cron=args.recurring,
    )
    return submit_pipeline(args.endpoint, token, submission)
