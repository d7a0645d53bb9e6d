"""Ids of items that no list may have, whatever the catalogue says of them: one a line."""

import pathlib

import pyarrow as pa
import pyarrow.compute as pc
from tensorflow.io import gfile

from schema.candidates import text_array
from schema.errors import ConfigError

_FILE = "denied.txt"


def read(path: str | None) -> str:
    """Text of the file at `path`, "" without one. Raises ConfigError where it can't be read."""
    if path is None:
        return ""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(
            f"expected a file of item ids, one a line, at {path}, received: {said}; "
            "mend index.deny_list"
        ) from error


def ids(text: str) -> pa.Array:
    """The ids of a deny list, each once; blank lines are none."""
    lines = [line for line in text.splitlines() if line.strip()]
    return pc.unique(text_array(pa.array(lines, pa.large_string())))


def save(text: str, uri: str) -> None:
    """Keeps the list beside the index that was built without its items, at `uri`."""
    with gfile.GFile(f"{uri}/{_FILE}", "w") as file:
        file.write(text)


def load(uri: str) -> pa.Array:
    """The ids that the index at `uri` was built without."""
    with gfile.GFile(f"{uri}/{_FILE}", "r") as file:
        return ids(file.read())
