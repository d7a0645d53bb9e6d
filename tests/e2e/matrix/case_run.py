"""Runs one case through the whole DAG, in this process."""

import contextlib
import io
import logging
import pathlib
import subprocess
import time

from rich.console import Console

from components.ingest import preflight
from pipeline.commands.run import execute_run
from pipeline.config.config import Config
from pipeline.report import terminal
from pipeline.run_root import open_local_root
from schema.errors import TandemError
from schema.run_summary import RunSummary
from serving import infra_check
from serving.client.client import Client
from serving.client.messages import ListingQuery, build_listing_request
from serving.server.app import run_server

_log = logging.getLogger(__name__)


def run(config: Config, data: pathlib.Path, root: pathlib.Path) -> RunSummary:
    """Summary of a run that always pushes its models; the report of `tandem run` is printed too."""
    run_root = open_local_root(root)
    preflight.check(config.dataset, str(data))
    console = Console(file=io.StringIO())
    summary, not_blessed = execute_run(config, str(data), run_root, console, "a matrix")
    assert not_blessed is None
    terminal.print_report(summary, console)
    assert run_root.report.exists()
    return summary


def run_to_exit_code(
    config: Config, data: pathlib.Path, root: pathlib.Path
) -> tuple[int, dict[str, int]]:
    """Exit code of a run, and the rows of its summary if there is one."""
    try:
        return 0, run(config, data, root).rows.model_dump()
    except TandemError as error:
        _log.info("exit code %d: %s", error.exit_code, error)
        return error.exit_code, {}


def recommend(root: pathlib.Path) -> list[str]:
    """Five items for a new user, from the pushed servables."""
    with run_server(root / "serving") as server, Client(server.grpc_address, 60) as client:
        request = build_listing_request(
            client.inputs("recommender"), ListingQuery("nobody", [], int(time.time()), 5)
        )
        response = client.predict("recommender", request)["item_ids"][0]
    return [item.decode() for item in response if item]


def check_here(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
    """Runs the infra check in this process; replaces `subprocess.run`."""
    module = command.index("serving.infra_check")
    report, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(report), contextlib.redirect_stderr(errors):
        code = infra_check.main(command[module + 1 :])
    return subprocess.CompletedProcess(command, code, report.getvalue(), errors.getvalue())
