"""`tandem schema`: infers schemas from data, or compares new data with a run's latest data."""

import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

from rich.console import Console

from components.ingest import preflight
from pipeline.config.config import TABLES, Config, load_config
from pipeline.console import redirect_output
from pipeline.run_root import RunRoot
from schema.errors import NoRunError, UsageError

if TYPE_CHECKING:
    from components.validation.drift import Statistics
    from components.validation.gate import GateTable
    from pipeline.commands.table_statistics import TableStatistics

_DIFF_FOLDER = "schema-diff"


def diff_data(
    root: pathlib.Path,
    config_path: pathlib.Path,
    data_dir: pathlib.Path,
    overrides: list[str],
) -> dict[str, Any]:
    """Compares new data with the latest data that passed the gate, under the current schemas.
    Writes only to `root`/schema-diff.

    Args:
        root: Folder of a run.
        config_path: The TOML.
        data_dir: Folder of the new data.
        overrides: `--set` arguments.

    Returns:
        `fits`: whether the new data would pass the gate; `refused`: the gate's findings, as
        `components.validation.findings.Finding`; `changes`, as
        `components.validation.changes.Change`; `statistics`: folder of the HTML pages.

    Raises:
        NoRunError: No data have passed the gate at `root`.
        DataRefused: As in ingestion.
    """
    config = load_config(config_path, overrides)
    data = str(data_dir.absolute())
    preflight.check(config.dataset, data)
    run = RunRoot(root.absolute())
    if not run.metadata.exists():
        raise _make_no_run_error(root, config)
    folder = RunRoot(run.root / _DIFF_FOLDER)
    with tempfile.TemporaryDirectory() as work, redirect_output(folder.log) as (_, err):
        return _compare_data(config, data, run, pathlib.Path(work), folder, Console(file=err))


def _make_no_run_error(root: pathlib.Path, config: Config) -> NoRunError:
    return NoRunError(
        f"expected a run of {config.name!r} at {root} whose data passed the gate, found none; "
        f"run `tandem run --config … --root {root}` first"
    )


def _compare_data(
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
    from pipeline.commands.table_statistics import compute_table_statistics
    from pipeline.metadata import build_connection_config, find_previous_statistics

    uris = find_previous_statistics(build_connection_config(str(run.metadata)), config.name, "")
    if not all(uris.values()):
        raise _make_no_run_error(run.root, config)
    at = RunRoot(work)
    now = compute_table_statistics(config, data, at, str(folder.rejected), console)
    refused, changes = [], []
    for name, table_statistics in now.items():
        splits = table_statistics.statistics
        before = {split: split_statistics.load(uris[name], split) for split in splits}
        table = _make_table(config, name, table_statistics, before)
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


def _make_table(
    config: Config, name: str, now: "TableStatistics", before: "dict[str, Statistics]"
) -> "GateTable":
    """The table as the gate of the next run would get it."""
    import tensorflow_data_validation as tfdv

    from components.validation.gate import GateTable
    from pipeline.config.table_schemas import build_table_schema

    schema = build_table_schema(config, name)
    anomalies = {
        split: tfdv.validate_statistics(statistics, schema)
        for split, statistics in now.statistics.items()
    }
    return GateTable(name, now.examples_uri, schema, now.statistics, anomalies, before)


def infer_schemas(
    config_path: pathlib.Path,
    data_dir: pathlib.Path | None,
    out: pathlib.Path,
    overrides: list[str],
) -> list[pathlib.Path]:
    """Infers a schema per table, writes `<name>.<table>.pbtxt` into `out`, and returns the paths.

    Records that ingestion rejects go to `out`/rejected. Raises UsageError where such a file exists
    (it may have been curated), DataRefused as ingestion does.
    """
    config = load_config(config_path, overrides)
    data = str((data_dir or config_path.parent).absolute())
    preflight.check(config.dataset, data)
    files = _list_schema_files(config, out.absolute())
    with tempfile.TemporaryDirectory() as folder, redirect_output(out / "infer.log") as (_, err):
        texts = _infer_texts(config, data, pathlib.Path(folder), out.absolute(), Console(file=err))
    for table, path in files.items():
        path.write_text(texts[table], encoding="utf-8")
    return list(files.values())


def _list_schema_files(config: Config, out: pathlib.Path) -> dict[str, pathlib.Path]:
    files = {table: out / f"{config.name}.{table}.pbtxt" for table in TABLES}
    existing = [str(path) for path in files.values() if path.exists()]
    if existing:
        raise UsageError(
            f"expected to write new files, found {', '.join(existing)}, which may have been "
            "curated; move them or give another folder with --out"
        )
    return files


def _infer_texts(
    config: Config, data: str, folder: pathlib.Path, out: pathlib.Path, console: Console
) -> dict[str, str]:
    from google.protobuf import text_format

    from components.validation.schema_inference import infer_schema
    from pipeline.commands.table_statistics import compute_table_statistics
    from pipeline.config.table_schemas import derive_table_schema

    at = RunRoot(folder)
    tables = compute_table_statistics(config, data, at, str(out / "rejected"), console)
    texts = {}
    for table, table_statistics in tables.items():
        implied = derive_table_schema(config, table)
        schema = infer_schema(implied, config.dataset, table_statistics.statistics)
        texts[table] = _make_header(config, table) + text_format.MessageToString(schema)
    return texts


def _make_header(config: Config, table: str) -> str:
    return (
        f"# Inferred by `tandem schema infer` from the {table} of {config.name}; to be reviewed\n"
        "# and edited by someone who knows the data. The configuration names it:\n"
        "#\n"
        "#     [curated]\n"
        f'#     {table} = "{config.name}.{table}.pbtxt"\n'
        "#\n"
        "# A domain allows no other value; distribution_constraints { min_domain_mass: 0.99 }\n"
        "# lets one in a hundred pass. drift_comparator holds against the previous data of a\n"
        "# root, skew_comparator between train and the later splits.\n\n"
    )
