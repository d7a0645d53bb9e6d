"""Maps item ids to positions and back."""

import os
import pathlib
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from schema import candidates as candidate_files
from schema.candidates import Candidates
from schema.errors import DataRefused

_SHOWN = 3
_FILE = "item_ids.txt"


def count_table_items(saved_model: pathlib.Path) -> int | None:
    """Number of items in the item table of a SavedModel; None if it has no table."""
    path = saved_model / "assets" / _FILE
    return path.read_bytes().count(b"\n") if path.is_file() else None


class ItemTable(tf.Module):
    """Position 0 is the unknown item with the id ""; item i of the candidates has position i + 1.

    The ids are stored in an asset file and a variable, so that a large catalogue does not exceed
    the graph's limit of 2 GB. Raises DataRefused if there are no items, or if ids repeat, are empty
    or have a line break.
    """

    def __init__(self, candidates: Candidates):
        super().__init__()
        _check_ids(candidates.item_ids)
        # The file must exist as long as the table: saving the model copies it.
        self._folder = tempfile.TemporaryDirectory(prefix="tandem-")
        path = _write_ids(candidates.item_ids, self._folder.name)
        self._ids = tf.Variable(_read_ids(path), trainable=False, name="item_ids")
        initializer = tf.lookup.TextFileInitializer(
            path,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        self._positions = tf.lookup.StaticHashTable(initializer, default_value=-1)
        self._popularity = tf.Variable(
            np.pad(candidates.vectors[:, -1], (1, 0)), trainable=False, name="log_popularity"
        )

    def positions(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids of any shape -> int32 positions."""
        return tf.cast(self._positions.lookup(ids) + 1, tf.int32)

    def ids(self, positions: tf.Tensor) -> tf.Tensor:
        """Positions of any shape -> ids."""
        return tf.gather(self._ids, positions)

    def log_popularity(self, positions: tf.Tensor) -> tf.Tensor:
        """Positions of any shape -> log popularity as of the candidates."""
        return tf.gather(self._popularity, positions)


def _check_ids(ids: pa.Array) -> None:
    if not len(ids):
        raise DataRefused("item table: expected at least one item, received none; add items")
    repeated = candidate_files.find_repeated_ids(ids)
    if len(repeated):
        shown = ", ".join(repr(item) for item in repeated[:_SHOWN].to_pylist())
        raise DataRefused(
            f"item table: expected each item id once, received {len(repeated):,} ids that repeat "
            f"({shown}); keep one item of each"
        )
    broken = pc.or_(pc.equal(pc.binary_length(ids), 0), pc.match_substring_regex(ids, "[\r\n]"))
    if pc.any(broken).as_py():
        (first,) = ids.filter(broken)[:1].to_pylist()
        raise DataRefused(
            "item table: expected item ids without line breaks, and none that is empty, received "
            f"{first!r}; fix the catalogue's ids"
        )


def _write_ids(ids: pa.Array, folder: str) -> str:
    """Writes one id per line and returns the file's path. Arrow keeps the joined lines in one
    buffer, which is the content of the file.
    """
    path = os.path.join(folder, _FILE)
    empty, line_break = (pa.scalar(text, pa.large_binary()) for text in (b"", b"\n"))
    lines = pc.binary_join_element_wise(ids, empty, line_break)
    with open(path, "wb") as file:
        file.write(lines.buffers()[2])
    return path


def _read_ids(path: str) -> tf.Tensor:
    """[n + 1]: "", then the lines. TensorFlow reads them without a Python object per line."""
    lines = tf.strings.split(tf.io.read_file(path), "\n")  # "" follows the last line break
    return tf.concat([lines[-1:], lines[:-1]], axis=0)
