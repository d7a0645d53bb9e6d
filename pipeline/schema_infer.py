"""Data -> curated schema files."""

import pathlib
import tempfile

from rich.console import Console

from components.ingest import preflight
from pipeline.config.config import TABLES, Config, load_config
from pipeline.console import redirect_output
from pipeline.run_root import RunRoot
from schema.errors import UsageError


def infer(
    config_path: pathlib.Path,
    data_dir: pathlib.Path | None,
    out: pathlib.Path,
    overrides: list[str],
) -> list[pathlib.Path]:
    """Writes `<name>.<table>.pbtxt` into `out` and returns where they are.

    Letters of what ingestion does not accept are below `out`/rejected. Raises UsageError where a
    file of that name exists (someone may have curated it), DataRefused as ingestion does.
    """
    config = load_config(config_path, overrides)
    data = str((data_dir or config_path.parent).absolute())
    preflight.check(config.dataset, data)
    files = _files(config, out.absolute())
    with tempfile.TemporaryDirectory() as folder, redirect_output(out / "infer.log") as (_, err):
        texts = _texts(config, data, pathlib.Path(folder), out.absolute(), Console(file=err))
    for table, path in files.items():
        path.write_text(texts[table], encoding="utf-8")
    return list(files.values())


def _files(config: Config, out: pathlib.Path) -> dict[str, pathlib.Path]:
    files = {table: out / f"{config.name}.{table}.pbtxt" for table in TABLES}
    there = [str(path) for path in files.values() if path.exists()]
    if there:
        raise UsageError(
            f"expected to write new files, found {', '.join(there)}, which may have been curated; "
            "move them or give another folder with --out"
        )
    return files


def _texts(
    config: Config, data: str, folder: pathlib.Path, out: pathlib.Path, console: Console
) -> dict[str, str]:
    from google.protobuf import text_format

    from components.validation.schema_inference import infer_schema
    from pipeline.commands import table_statistics
    from pipeline.config.table_schemas import derive_table_schema

    at = RunRoot(folder)
    tables = table_statistics.describe(config, data, at, str(out / "rejected"), console)
    texts = {}
    for table, found in tables.items():
        implied = derive_table_schema(config, table)
        schema = infer_schema(implied, config.dataset, found.statistics)
        texts[table] = _head(config, table) + text_format.MessageToString(schema)
    return texts


def _head(config: Config, table: str) -> str:
    return (
        f"# Inferred by `tandem schema infer` from the {table} of {config.name}; to be read and\n"
        "# tightened or loosened by someone who knows the data. The configuration names it:\n"
        "#\n"
        "#     [curated]\n"
        f'#     {table} = "{config.name}.{table}.pbtxt"\n'
        "#\n"
        "# A domain allows no other value; distribution_constraints { min_domain_mass: 0.99 }\n"
        "# lets one in a hundred pass. drift_comparator holds against the previous data of a\n"
        "# root, skew_comparator between train and the later splits.\n\n"
    )
