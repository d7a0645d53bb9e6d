"""`tandem init`: writes a first configuration for the files of a folder."""

import pathlib
import re
import tempfile
from typing import Any, NamedTuple

from components.ingest import preflight
from components.ingest.draft import Draft, detect_text_form, draft_tables
from components.ingest.read.files import find_files
from pipeline.commands.draft_toml import render_draft
from pipeline.commands.recipes import list_recipes
from pipeline.config.config import load_config
from schema.errors import ConfigError, DataRefused, UsageError


class Initialised(NamedTuple):
    """What `tandem init` has written."""

    path: pathlib.Path
    name: str
    draft: Draft
    missing: str
    """Why a run with it would be rejected; "" if the files fit."""
    recipes: list[str]
    """Recipes that fit the files too."""

    def to_json(self) -> dict[str, Any]:
        """The value of `--json`."""
        tables = [
            {"kind": each.kind, "keys": each.keys, "columns": each.columns, "unsure": each.doubts}
            for each in self.draft.tables
        ]
        return {
            "path": str(self.path),
            "name": self.name,
            "tables": tables,
            "split": self.draft.split,
            "more_events": [each.keys for each in self.draft.more_events],
            "not_read": self.draft.others,
            "missing": self.missing,
            "recipes": self.recipes,
        }


def write_first_config(
    data: pathlib.Path, out: pathlib.Path | None = None, force: bool = False
) -> Initialised:
    """Looks at the files in `data` and writes a configuration that reads them.

    Args:
        data: Folder of the files.
        out: File to write; by default the name of the folder with `.toml`, in the current one.
        force: Whether an existing file is replaced.

    Raises:
        UsageError: `data` is no folder with files, or `out` exists and `force` is not set.
        DataRefused: No file has users, items and times.
    """
    name = _make_name(data)
    path = out or pathlib.Path(f"{name}.toml")
    if path.exists() and not force:
        raise UsageError(
            f"expected to write a new file, found {path}; give another one with --out, or --force"
        )
    draft = draft_tables(str(data))
    missing = _check_text(render_draft(name, data, draft), data)
    recipes = [recipe.name for recipe in list_recipes() if _fits(recipe.path, data)]
    text = render_draft(name, data, draft, missing, recipes)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Initialised(path, name, draft, missing, recipes)


def _make_name(data: pathlib.Path) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", data.absolute().name.lower())[:63].strip("-")
    return plain or "data"


def _fits(recipe: pathlib.Path, data: pathlib.Path) -> bool:
    """Whether the files have the columns of a recipe, and as many if they have no header."""
    if _find_misfit(recipe, data):
        return False
    tables = [table for _, table in load_config(recipe).data.list_tables() if table.columns]
    forms = [(detect_text_form(next(iter(find_files(str(data), t)))), t) for t in tables]
    return all(form and form.fields == len(table.columns or []) for form, table in forms)


def _check_text(text: str, data: pathlib.Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "draft.toml"
        path.write_text(text, encoding="utf-8")
        return _find_misfit(path, data).replace(f"{path}: ", "")


def _find_misfit(config: pathlib.Path, data: pathlib.Path) -> str:
    """Why the configuration does not fit the files; "" if it does."""
    try:
        preflight.check(load_config(config).dataset, str(data.absolute()))
    except (ConfigError, DataRefused) as error:
        return str(error)
    return ""
