"""One local run: configuration, checks, DAG, summary, report."""

import contextlib
import json
import pathlib
from typing import Any

from rich.console import Console

from components.ingest import preflight
from pipeline.config.config import Config, load_config
from pipeline.console import redirect_output, show_stages
from pipeline.report import terminal
from pipeline.run_root import RunRoot, open_root
from schema.errors import NotBlessed
from schema.storage import object_store


def run_locally(
    config_path: pathlib.Path,
    data_dir: str | None,
    root: str,
    overrides: list[str],
    as_json: bool,
    force_push: str | None,
) -> dict[str, object]:
    """Returns the summary after writing and printing it; raises what stopped the run.

    `data_dir` and `root` are absolute paths or URLs.

    Models that are not blessed have a summary as well, before NotBlessed is raised; `force_push` is
    the reason to push them all the same.
    """
    config = load_config(config_path, overrides)
    data = data_dir or str(config_path.parent.absolute())
    preflight.check(config.dataset, data)
    with open_root(root) as at, redirect_output(at.log) as (out, err):
        console = terminal.make_console(err if as_json else out)
        console.print(
            f"{config.name}: data {data}, root {at.place}, full log {at.place}/{at.log.name}",
            soft_wrap=True,
        )
        summary, not_blessed = execute_run(config, data, at, console, force_push)
        if as_json:
            out.write(json.dumps(summary, indent=1) + "\n")
        else:
            terminal.print_report(summary, console)
        console.print(f"report: {at.place}/{at.report.name}", soft_wrap=True)
    if not_blessed is not None:
        raise not_blessed
    return summary


def execute_run(
    config: Config,
    data: str,
    at: RunRoot,
    console: Console,
    force_push: str | None = None,
    ask_oldest: bool = False,
) -> tuple[dict[str, Any], NotBlessed | None]:
    """Runs the stages and writes all that a run leaves; returns the summary, and why nothing was
    pushed where that is so. Arguments as in `pipeline.runner.run_pipeline`.
    """
    with (
        console.status("loading TensorFlow and TFX")
        if console.is_terminal
        else contextlib.nullcontext()
    ):
        from components.artifacts import s3_filesystem
        from pipeline.run_files import write_run_files
        from pipeline.runner import run_pipeline
    s3_filesystem.register()
    with show_stages(console) as lines:
        executed = run_pipeline(config, data, at, lines, force_push, ask_oldest)
    if at.uri:  # the curves that the components have put there
        object_store.download(f"{at.uri}/tensorboard", at.tensorboard)
    return write_run_files(config, data, at, executed), executed.not_blessed
