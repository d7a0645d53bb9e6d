"""One local run: configuration, checks, DAG, summary, report."""

import contextlib
import json
import pathlib
from typing import Any

from rich.console import Console

from components.ingest import preflight
from pipeline import config as configuration
from pipeline import example_recommendations, quiet, report, run_directory, stage_lines
from pipeline.config import Config
from pipeline.run_directory import RunDirectory


def run(
    config_path: pathlib.Path,
    data_dir: pathlib.Path | None,
    root: pathlib.Path,
    overrides: list[str],
    as_json: bool,
) -> dict[str, object]:
    """Returns the summary after writing and printing it; raises what stopped the run."""
    config = configuration.load(config_path, overrides)
    data = str((data_dir or config_path.parent).absolute())
    preflight.check(config.dataset, data)
    at = run_directory.opened(root)
    with quiet.into_file(at.log) as (out, err):
        console = report.plain_console(err if as_json else out)
        console.print(
            f"{config.name}: data {data}, root {at.root}, full log {at.log}", soft_wrap=True
        )
        summary = _execute(config, data, at, console)
        if as_json:
            out.write(json.dumps(summary, indent=1) + "\n")
        else:
            report.show(summary, console)
    return summary


def _execute(config: Config, data: str, at: RunDirectory, console: Console) -> dict[str, Any]:
    with (
        console.status("loading TensorFlow and TFX")
        if console.is_terminal
        else contextlib.nullcontext()
    ):
        from pipeline import summary as summaries
        from pipeline.stages import run_stages
    with stage_lines.listening(console) as lines:
        metadata, stages = run_stages(config, data, at, lines)
    summary = summaries.summarise(config, metadata, stages)
    best = summaries.ceiling(pathlib.Path(data))
    if best is not None:
        summary["retrieval"]["ceiling"] = best
    summary["examples"] = example_recommendations.of(summary, at)
    summaries.write(summary, at.summary)
    return summary
