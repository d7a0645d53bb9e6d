"""What new data would change in a root, and what of them the gate would refuse."""

import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

from rich.console import Console

from components.ingest import preflight
from pipeline.config.config import Config, load_config
from pipeline.console import redirect_output
from pipeline.run_root import RunRoot
from schema.errors import NoRunError

if TYPE_CHECKING:
    from components.validation.drift import Statistics
    from components.validation.gate import GateTable
    from pipeline.commands.table_statistics import Described

_FOLDER = "schema-diff"


def diff(
    root: pathlib.Path,
    config_path: pathlib.Path,
    data_dir: pathlib.Path,
    overrides: list[str],
) -> dict[str, Any]:
    """`fits`: whether the gate would let them pass; `refused`: what it would say, as
    `components.validation.findings.Finding`; `changes` against the latest data that passed
    the gate, as `components.validation.changes.Change`; `statistics`: folder of the pages.

    The schemas are those of the configuration as it is now. Raises NoRunError where no data
    have passed at `root`, DataRefused as ingestion does; writes to `root`/schema-diff alone.
    """
    config = load_config(config_path, overrides)
    data = str(data_dir.absolute())
    preflight.check(config.dataset, data)
    run = RunRoot(root.absolute())
    if not run.metadata.exists():
        raise _no_run(root, config)
    folder = RunRoot(run.root / _FOLDER)
    with tempfile.TemporaryDirectory() as work, redirect_output(folder.log) as (_, err):
        return _compare(config, data, run, pathlib.Path(work), folder, Console(file=err))


def _no_run(root: pathlib.Path, config: Config) -> NoRunError:
    return NoRunError(
        f"expected a run of {config.name!r} at {root} whose data passed the gate, found none; "
        f"run `tandem run --config … --root {root}` first"
    )


def _compare(
    config: Config,
    data: str,
    run: RunRoot,
    work: pathlib.Path,
    folder: RunRoot,
    console: Console,
) -> dict[str, Any]:
    from components.validation import split_statistics, statistics_page
    from components.validation.changes import find_changes
    from components.validation.gate import find_broken_rules
    from pipeline.commands import table_statistics
    from pipeline.metadata import build_connection_config, find_previous_statistics

    uris = find_previous_statistics(build_connection_config(str(run.metadata)), config.name, "")
    if not all(uris.values()):
        raise _no_run(run.root, config)
    at = RunRoot(work)
    now = table_statistics.describe(config, data, at, str(folder.rejected), console)
    refused, changes = [], []
    for name, found in now.items():
        splits = found.statistics
        before = {split: split_statistics.load(uris[name], split) for split in splits}
        table = _table(config, name, found, before)
        findings = find_broken_rules(table)
        statistics_page.write(str(folder.statistics / f"{name}.html"), table, findings)
        refused += findings
        for split, old in before.items():
            changes += find_changes(name, split, old, splits[split])
    return {
        "fits": not refused,
        "refused": [finding._asdict() for finding in refused],
        "changes": [change._asdict() for change in changes],
        "statistics": str(folder.statistics),
    }


def _table(
    config: Config, name: str, now: "Described", before: "dict[str, Statistics]"
) -> "GateTable":
    """What the gate of the next run would see."""
    import tensorflow_data_validation as tfdv

    from components.validation.gate import GateTable
    from pipeline.config.table_schemas import build_table_schema

    schema = build_table_schema(config, name)
    anomalies = {
        split: tfdv.validate_statistics(statistics, schema)
        for split, statistics in now.statistics.items()
    }
    return GateTable(name, now.examples_uri, schema, now.statistics, anomalies, before)
