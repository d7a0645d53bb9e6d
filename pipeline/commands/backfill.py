"""A backfill: the pipeline day by day with its window moved, as it would have run.

backfill.json holds the finished days, so that no day runs twice.
"""

import datetime
import json
import pathlib
from typing import Any, NamedTuple

from rich.console import Console

from components.ingest import preflight
from components.ingest.fingerprint import compute_input_fingerprint
from pipeline.commands.run import execute_run
from pipeline.config.config import Config, load_config
from pipeline.console import redirect_output
from pipeline.report import retraining_value, terminal
from pipeline.report.retraining_value import DayRecord
from pipeline.run_root import RunRoot, open_local_root
from schema.errors import NotBlessed, TandemError, UsageError
from schema.sources import InteractionsSource
from schema.storage import atomic
from trainer.config.deterministic import prepare_process
from trainer.config.peers import require_package


class BackfillRequest(NamedTuple):
    """The arguments of `tandem backfill`."""

    config: pathlib.Path
    data: pathlib.Path | None
    root: pathlib.Path
    first: str
    last: str
    overrides: list[str]
    as_json: bool


def backfill(request: BackfillRequest) -> dict[str, Any]:
    """Runs every day that is not finished, and writes and prints the record of all of them.

    Models that are not blessed are part of the record. Any other error stops the backfill and names
    the day; the same command resumes there.
    """
    config = load_config(request.config, request.overrides)
    require_package(config.evaluation.peers)
    prepare_process(config.trainer)
    data = str((request.data or request.config.parent).absolute())
    for table in config.data.event_tables:
        require_window(table)
    spans = list_spans(request.first, request.last)
    for span in spans:
        preflight.check(config.dataset.select_span(span), data)
    at = open_local_root(request.root)
    days = read_days(at.backfill)
    with redirect_output(at.log) as (out, err):
        console = terminal.make_console(err if request.as_json else out)
        console.print(
            f"{config.name}: data {data}, root {at.root}, full log {at.log}", soft_wrap=True
        )
        for span in spans:
            days = _run_unless_finished(span, days, _move_window(config, span), data, at, console)
        record = make_record(config.name, days)
        if request.as_json:
            out.write(json.dumps(record, indent=1, allow_nan=False) + "\n")
        else:
            retraining_value.print_days(record, console)
        console.print(f"curves: {_write_page(record, at)}", soft_wrap=True)
    return record


def _move_window(config: Config, span: str) -> Config:
    """A copy whose window ends at `span`."""
    return config.model_copy(update={"data": config.dataset.select_span(span).data})


def _run_unless_finished(
    span: str, days: list[DayRecord], config: Config, data: str, at: RunRoot, console: Console
) -> list[DayRecord]:
    """Runs the day unless it is finished, and writes the record; returns all days so far."""
    from pipeline.push_plan import compute_run_fingerprint

    fingerprint = compute_run_fingerprint(config, compute_input_fingerprint(config.dataset, data))
    if is_finished(days, span, fingerprint):
        console.print(f"{span}  already finished")
        return days
    row = _run_day(span, fingerprint, config, data, at, console)
    days = replace_day(days, row)
    write_record(make_record(config.name, days), at.backfill)
    console.print(retraining_value.format_day(row), soft_wrap=True)
    return days


def _run_day(
    span: str, fingerprint: str, config: Config, data: str, at: RunRoot, console: Console
) -> DayRecord:
    silent = Console(quiet=True)
    try:
        with console.status(span):
            summary, _ = execute_run(config, data, at, silent, evaluate_oldest=True)
    except NotBlessed as error:
        return retraining_value.make_refused_day(span, fingerprint, str(error))
    except TandemError as error:
        raise type(error)(f"span {span}: {error}") from error
    return retraining_value.make_day_record(span, fingerprint, summary)


def _write_page(record: dict[str, Any], at: RunRoot) -> pathlib.Path:
    from pipeline.report.html import retraining_value

    return retraining_value.write_page(record, at.backfill.with_suffix(".html"))


def read_days(path: pathlib.Path) -> list[DayRecord]:
    """The finished days; none where there is no file. UsageError for a file that is no record."""
    if not path.exists():
        return []
    try:
        return json.loads(path.read_text(encoding="utf-8"))["days"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"expected the record of a backfill at {path}, received something else; "
            "move it away to start over"
        ) from error


def is_finished(days: list[DayRecord], span: str, fingerprint: str) -> bool:
    """Whether the day was run with that data and configuration."""
    return any((row["span"], row["fingerprint"]) == (span, fingerprint) for row in days)


def replace_day(days: list[DayRecord], row: DayRecord) -> list[DayRecord]:
    """The days in order of spans, with `row` instead of an earlier record of the same day."""
    others = [day for day in days if day["span"] != row["span"]]
    return sorted([*others, row], key=lambda day: (len(day["span"]), day["span"]))


def make_record(name: str, days: list[DayRecord]) -> dict[str, Any]:
    """The content of backfill.json."""
    return {"name": name, "days": days, "overall": retraining_value.compute_overall(days)}


def write_record(record: dict[str, Any], path: pathlib.Path) -> None:
    """Writes the file atomically."""
    with atomic.open_text(path) as append:
        append(json.dumps(record, indent=1, allow_nan=False) + "\n")


def require_window(source: InteractionsSource) -> None:
    """Raises UsageError if a table of the log has no window to move."""
    if not source.comes_in_spans:
        raise UsageError(
            f"backfill expects {{SPAN}} in data.interactions.path, received {source.path!r}; "
            'write it in place of the day, as in "events/{SPAN}"'
        )
    if source.last_spans is None:
        raise UsageError(
            "backfill expects data.interactions.last_spans, received none; "
            "set the number of spans that one run reads"
        )


def list_spans(first: str, last: str) -> list[str]:
    """Every date or number from `first` to `last`, both included.

    Raises UsageError where they are not two dates or two numbers in ascending order.
    """
    spans = _list_numbers(first, last) or _list_dates(first, last)
    if not spans:
        raise UsageError(
            f"--from expects a span that is not after --to, received --from {first} --to {last}; "
            "swap them"
        )
    return spans


def _list_numbers(first: str, last: str) -> list[str]:
    """[] where they are not numbers, or are in descending order."""
    if not (first.isdecimal() and last.isdecimal()):
        return []
    return [str(number) for number in range(int(first), int(last) + 1)]


def _list_dates(first: str, last: str) -> list[str]:
    """[] where they are numbers, or are in descending order."""
    if first.isdecimal() and last.isdecimal():
        return []
    try:
        begin, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    except ValueError as error:
        raise UsageError(
            "--from and --to expect two dates such as 2024-01-31, or two numbers, received "
            f"--from {first} --to {last}; write both as the folders are named"
        ) from error
    days = (end - begin).days + 1
    return [(begin + datetime.timedelta(days=day)).isoformat() for day in range(days)]
