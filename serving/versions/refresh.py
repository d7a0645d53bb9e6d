"""Replaces the items or the popularity of pushed candidates, and of the models that use them."""

import contextlib
import dataclasses
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema.candidates import Candidates
from schema.errors import TandemError
from serving.graph.saved_models import load_saved_model

_ASSETS = "assets"


class RefreshedModels(NamedTuple):
    """Loaded SavedModels."""

    query: Any
    ranking: Any


@contextlib.contextmanager
def load_refreshed_models(
    folder: pathlib.Path, before: pa.Array, candidates: Candidates
) -> Iterator[RefreshedModels]:
    """Loads the query and the ranking model of the recommender in `folder` with the items of
    `candidates` instead of `before` [n].

    Both models get the vectors of the `candidates`, and the query model accepts new items in a
    history. They may be exported until the block ends. Raises TandemError if `before` are not the
    items of the model.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-") as name:
        copy = pathlib.Path(name)
        _link_with_items(folder, copy, _join_lines(before), _join_lines(candidates.item_ids))
        loaded = load_saved_model(copy)
        vectors = np.pad(candidates.vectors[:, :-1], [(1, 0), (0, 0)])
        loaded.query.item_vectors.assign(vectors)
        loaded.ranking.item_vectors.assign(vectors)
        yield RefreshedModels(loaded.query, loaded.ranking)


def _link_with_items(folder: pathlib.Path, copy: pathlib.Path, before: bytes, after: bytes) -> None:
    """Links all files of the SavedModel except those that list its items, which are rewritten.

    A lookup table is loaded from a file with one id per line: a longer file makes a larger table.
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


def _join_lines(ids: pa.Array) -> bytes:
    """One id per line, without a Python object per id."""
    empty, line_break = (pa.scalar(text, ids.type) for text in (b"", b"\n"))
    lines = pc.binary_join_element_wise(ids, empty, line_break)
    return lines.buffers()[2].to_pybytes()


@dataclasses.dataclass(frozen=True)
class NewItems:
    """`m` distinct items that are new to a catalogue or replace an item in it."""

    item_ids: pa.Array
    """[m] large_binary."""
    titles: pa.Array
    """[m] large_binary."""
    vectors: np.ndarray
    """[m, dim] float32, without popularity."""
    available: pa.Array | None
    """[m], as in `Candidates`."""
    filters: pa.Array | None
    """[m], as in `Candidates`."""


@dataclasses.dataclass(frozen=True)
class RefreshedCandidates:
    """Candidates after a refresh, and how many items it added and changed."""

    candidates: Candidates
    added: int
    changed: int


def merge_items(candidates: Candidates, items: NewItems) -> RefreshedCandidates:
    """Replaces items of the catalogue and appends new ones.

    Replaced items keep their position and popularity; new items follow with a popularity of 0.
    """
    old_count = len(candidates.item_ids)
    index = pc.index_in(items.item_ids, value_set=candidates.item_ids)
    is_new = pc.is_null(index).to_numpy(zero_copy_only=False)
    changed = index.drop_null().to_numpy()
    source = np.concatenate([np.arange(old_count), old_count + np.flatnonzero(is_new)])
    source[changed] = old_count + np.flatnonzero(~is_new)
    popularity = np.pad(candidates.vectors[:, -1], (0, int(is_new.sum())))
    vectors = np.concatenate([candidates.vectors[:, :-1], items.vectors])[source]
    at_test = candidates.log_popularity_at_test
    merged = Candidates(
        item_ids=_select(candidates.item_ids, items.item_ids, source),
        titles=_select(candidates.titles, items.titles, source),
        vectors=np.column_stack([vectors, popularity]).astype(np.float32),
        log_popularity_at_test=np.pad(at_test, (0, int(is_new.sum()))),
        sample_queries=candidates.sample_queries,
        available=_select_optional(candidates.available, items.available, source),
        filters=_select_optional(candidates.filters, items.filters, source),
    )
    return RefreshedCandidates(merged, int(is_new.sum()), len(changed))


def replace_log_popularity(candidates: Candidates, log_popularity: np.ndarray) -> Candidates:
    """Returns the candidates with `log_popularity` [n] in place of theirs."""
    vectors = np.column_stack([candidates.vectors[:, :-1], log_popularity]).astype(np.float32)
    return dataclasses.replace(candidates, vectors=vectors)


def _select(old: pa.Array, new: pa.Array, source: np.ndarray) -> pa.Array:
    return pa.concat_arrays([old, new.cast(old.type)]).take(pa.array(source))


def _select_optional(
    old: pa.Array | None, new: pa.Array | None, source: np.ndarray
) -> pa.Array | None:
    """Either both columns are present or neither, since both come from one configuration."""
    return None if old is None or new is None else _select(old, new, source)
