"""`tandem run` on this machine: configuration, checks, DAG, summary and report."""

import contextlib
import json
import pathlib

from rich.console import Console

from components.ingest import preflight
from pipeline.config.config import Config, load_config
from pipeline.console import redirect_output, show_stages
from pipeline.execution import node_process
from pipeline.report import terminal
from pipeline.run_root import RunRoot, open_root
from schema.errors import NotBlessed
from schema.run_summary import RunSummary
from schema.storage import object_store
from trainer.config.deterministic import prepare_process
from trainer.config.peers import require_package


def run_locally(
    config_path: pathlib.Path,
    data_dir: str | None,
    root: str,
    overrides: list[str],
    as_json: bool,
    force_push: str | None,
) -> RunSummary:
    """Runs the pipeline, writes and prints the summary, and returns it.

    Args:
        config_path: The TOML.
        data_dir: Absolute path or URL of the data; None for the TOML's folder.
        root: Absolute path or URL of the run.
        overrides: `--set` arguments.
        as_json: Print summary.json on stdout instead of the report.
        force_push: Reason to push models that are not blessed.

    Raises:
        NotBlessed: The models failed evaluation and were not pushed; the summary is written.
        TandemError: Any other error that stopped the run.
    """
    config = load_config(config_path, overrides)
    require_package(config.evaluation.peers)
    prepare_process(config.trainer)
    data = data_dir or str(config_path.parent.absolute())
    preflight.check(config.dataset, data)
    with open_root(root) as at, redirect_output(at.log) as (out, err):
        console = terminal.make_console(err if as_json else out)
        console.print(
            f"{config.name}: data {data}, root {at.location}, full log {at.location}/{at.log.name}",
            soft_wrap=True,
        )
        summary, not_blessed = execute_run(config, data, at, console, force_push)
        if as_json:
            out.write(json.dumps(summary.to_json(), indent=1) + "\n")
        else:
            terminal.print_report(summary, console)
        console.print(f"report: {at.location}/{at.report.name}", soft_wrap=True)
    if not_blessed is not None:
        raise not_blessed
    return summary


def execute_run(
    config: Config,
    data: str,
    at: RunRoot,
    console: Console,
    force_push: str | None = None,
    evaluate_oldest: bool = False,
) -> tuple[RunSummary, NotBlessed | None]:
    """Runs the stages and writes the run's files; returns the summary, and the error that kept the
    models from being pushed, if any. Arguments as in `pipeline.runner.run_pipeline`.
    """
    with (
        console.status("loading TensorFlow and TFX")
        if console.is_terminal
        else contextlib.nullcontext()
    ):
        node_process.start_server()
        from components.artifacts import s3_filesystem
        from pipeline.run_files import write_run_files
        from pipeline.runner import run_pipeline
    s3_filesystem.register()
    with show_stages(console) as lines:
        executed = run_pipeline(config, data, at, lines, force_push, evaluate_oldest)
    if at.uri:  # the components wrote the training curves there
        object_store.download(f"{at.uri}/tensorboard", at.tensorboard)
    return write_run_files(config, data, at, executed), executed.not_blessed
