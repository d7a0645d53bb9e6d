"""Day by day as it would have been: the window moved, trained, judged, pushed or not."""

import json
import pathlib
from typing import Any, NamedTuple

from rich.console import Console

from components.ingest import preflight
from pipeline import backfill_record, backfill_spans, backfill_table
from pipeline.commands import run
from pipeline.config.config import Config, load_config
from pipeline.console import redirect_output
from pipeline.report import retraining_value, terminal
from pipeline.report.retraining_value import Row
from pipeline.run_root import RunRoot, open_local_root
from schema.errors import NotBlessed, TandemError


class Asked(NamedTuple):
    """What the command line says."""

    config: pathlib.Path
    data: pathlib.Path | None
    root: pathlib.Path
    first: str
    last: str
    overrides: list[str]
    as_json: bool


def backfill(asked: Asked) -> dict[str, Any]:
    """Runs every day that is not finished, and writes and prints the record of all of them.

    Models that are not blessed are part of the record. What else goes wrong stops the backfill and
    says the day; the same command goes on from there.
    """
    config = load_config(asked.config, asked.overrides)
    data = str((asked.data or asked.config.parent).absolute())
    spans = backfill_spans.between(config.data.interactions, asked.first, asked.last)
    for span in spans:
        preflight.check(config.dataset.at(span), data)
    at = open_local_root(asked.root)
    days = backfill_record.read(at.backfill)
    with redirect_output(at.log) as (out, err):
        console = terminal.plain_console(err if asked.as_json else out)
        console.print(
            f"{config.name}: data {data}, root {at.root}, full log {at.log}", soft_wrap=True
        )
        for span in spans:
            days = _with(span, days, _moved(config, span), data, at, console)
        record = backfill_record.of(config.name, days)
        if asked.as_json:
            out.write(json.dumps(record, indent=1, allow_nan=False) + "\n")
        else:
            backfill_table.show(record, console)
        console.print(f"curves: {_draw(record, at)}", soft_wrap=True)
    return record


def _moved(config: Config, span: str) -> Config:
    """With its window ending at `span`."""
    return config.model_copy(update={"data": config.dataset.at(span).data})


def _with(
    span: str, days: list[Row], config: Config, data: str, at: RunRoot, console: Console
) -> list[Row]:
    """The days and this one, which is run where it is not finished, and written."""
    from pipeline.push_plan import compute_run_fingerprint

    fingerprint = compute_run_fingerprint(config, preflight.fingerprint(config.dataset, data))
    if backfill_record.is_finished(days, span, fingerprint):
        console.print(f"{span}  finished before")
        return days
    row = _run(span, fingerprint, config, data, at, console)
    days = backfill_record.with_day(days, row)
    backfill_record.write(backfill_record.of(config.name, days), at.backfill)
    console.print(backfill_table.line(row), soft_wrap=True)
    return days


def _run(
    span: str, fingerprint: str, config: Config, data: str, at: RunRoot, console: Console
) -> Row:
    silent = Console(quiet=True)
    try:
        with console.status(span):
            summary, _ = run.execute(config, data, at, silent, ask_oldest=True)
    except NotBlessed as error:
        return retraining_value.refused(span, fingerprint, str(error))
    except TandemError as error:
        raise type(error)(f"span {span}: {error}") from error
    return retraining_value.day(span, fingerprint, summary)


def _draw(record: dict[str, Any], at: RunRoot) -> pathlib.Path:
    from pipeline.report.html import retraining_value

    return retraining_value.write(record, at.backfill.with_suffix(".html"))
