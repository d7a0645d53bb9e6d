"""Ids of items that no list may have, whatever the catalogue says of them: one a line."""

import pathlib

import pyarrow as pa
import pyarrow.compute as pc
from tensorflow.io import gfile

from schema import id_file
from schema.candidates import to_text_array

_FILE = "denied.txt"


def read(path: str | None) -> str:
    """The ids of the file at `path`, each on a line of its own; "" without a file.

    Blank lines and line ends of another kind leave no trace, so they make no other index. Raises
    UsageError where the file cannot be read.
    """
    if path is None:
        return ""
    found = id_file.read(pathlib.Path(path), "item ids", "correct index.deny_list")
    return "".join(f"{item_id}\n" for item_id in found)


def ids(text: str) -> pa.Array:
    """The ids of a deny list, each once; blank lines are none."""
    return pc.unique(to_text_array(pa.array(id_file.parse(text), pa.large_string())))


def save(text: str, uri: str) -> None:
    """Keeps the list beside the index that was built without its items, at `uri`."""
    with gfile.GFile(f"{uri}/{_FILE}", "w") as file:
        file.write(text)


def load(uri: str) -> pa.Array:
    """The ids that the index at `uri` was built without."""
    with gfile.GFile(f"{uri}/{_FILE}", "r") as file:
        return ids(file.read())
