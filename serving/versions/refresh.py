"""The models of a pushed version, told of a refreshed catalogue."""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema.candidates import Candidates
from schema.errors import TandemError
from serving.graph import saved_models

_ASSETS = "assets"


class Models(NamedTuple):
    """Loaded SavedModels."""

    query: Any
    ranking: Any


@contextlib.contextmanager
def told(folder: pathlib.Path, before: pa.Array, candidates: Candidates) -> Iterator[Models]:
    """Query and ranking model of the recommender in `folder`, whose items are `before` [n].

    Both take the vectors of the `candidates`, and the query model knows the ids of new items in a
    history. They may be exported as long as the context lasts. Raises TandemError for a model whose
    items are others.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-") as name:
        copy = pathlib.Path(name)
        _copy(folder, copy, _lines(before), _lines(candidates.item_ids))
        loaded = saved_models.restored(copy)
        vectors = np.pad(candidates.vectors[:, :-1], [(1, 0), (0, 0)])
        loaded.query.item_vectors.assign(vectors)
        loaded.ranking.item_vectors.assign(vectors)
        yield Models(loaded.query, loaded.ranking)


def _copy(folder: pathlib.Path, copy: pathlib.Path, before: bytes, after: bytes) -> None:
    """Links to all of the SavedModel but for the files that list its items: those are written anew.

    A lookup table is its file, an id a line: a longer file makes a larger table.
    """
    (copy / _ASSETS).mkdir()
    for name in ("saved_model.pb", "variables"):
        (copy / name).symlink_to((folder / name).absolute())
    listings = 0
    for asset in (folder / _ASSETS).iterdir():
        if asset.stat().st_size == len(before) and asset.read_bytes() == before:
            (copy / _ASSETS / asset.name).write_bytes(after)
            listings += 1
        else:
            (copy / _ASSETS / asset.name).symlink_to(asset.absolute())
    if not listings:
        raise TandemError(
            f"expected a file in {folder / _ASSETS} that lists the items of the pushed candidates, "
            "received none; push the version again with `tandem run`"
        )


def _lines(ids: pa.Array) -> bytes:
    """An id a line, without a Python object for each."""
    nothing, line_break = (pa.scalar(text, ids.type) for text in (b"", b"\n"))
    lines = pc.binary_join_element_wise(ids, nothing, line_break)
    return lines.buffers()[2].to_pybytes()
