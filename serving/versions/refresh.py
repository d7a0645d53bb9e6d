"""Candidates with other items or another popularity, and the pushed models over them."""

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
    """Query and ranking model of the recommender in `folder`, whose items are `before` [n].

    Both take the vectors of the `candidates`, and the query model knows the ids of new items in a
    history. They may be exported as long as the context lasts. Raises TandemError for a model whose
    items are others.
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


def _join_lines(ids: pa.Array) -> bytes:
    """An id a line, without a Python object for each."""
    nothing, line_break = (pa.scalar(text, ids.type) for text in (b"", b"\n"))
    lines = pc.binary_join_element_wise(ids, nothing, line_break)
    return lines.buffers()[2].to_pybytes()


@dataclasses.dataclass(frozen=True)
class NewItems:
    """`m` items, each once, that are new to a catalogue or take the place of one in it."""

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
    """Known items keep their positions and their popularity, and get all else anew; new ones come
    after them, with a popularity of 0.
    """
    known = len(candidates.item_ids)
    place = pc.index_in(items.item_ids, value_set=candidates.item_ids)
    is_new = pc.is_null(place).to_numpy(zero_copy_only=False)
    changed = place.drop_null().to_numpy()
    source = np.concatenate([np.arange(known), known + np.flatnonzero(is_new)])
    source[changed] = known + np.flatnonzero(~is_new)
    popularity = np.pad(candidates.vectors[:, -1], (0, int(is_new.sum())))
    taste = np.concatenate([candidates.vectors[:, :-1], items.vectors])[source]
    at_test = candidates.log_popularity_at_test
    made = Candidates(
        item_ids=_take(candidates.item_ids, items.item_ids, source),
        titles=_take(candidates.titles, items.titles, source),
        vectors=np.column_stack([taste, popularity]).astype(np.float32),
        log_popularity_at_test=np.pad(at_test, (0, int(is_new.sum()))),
        sample_queries=candidates.sample_queries,
        available=_take_optional(candidates.available, items.available, source),
        filters=_take_optional(candidates.filters, items.filters, source),
    )
    return RefreshedCandidates(made, int(is_new.sum()), len(changed))


def replace_log_popularity(candidates: Candidates, log_popularity: np.ndarray) -> Candidates:
    """The same with `log_popularity` [n] as it is now."""
    vectors = np.column_stack([candidates.vectors[:, :-1], log_popularity]).astype(np.float32)
    return dataclasses.replace(candidates, vectors=vectors)


def _take(old: pa.Array, new: pa.Array, source: np.ndarray) -> pa.Array:
    return pa.concat_arrays([old, new.cast(old.type)]).take(pa.array(source))


def _take_optional(
    old: pa.Array | None, new: pa.Array | None, source: np.ndarray
) -> pa.Array | None:
    """Both or neither: one description of the tables has made them."""
    return None if old is None or new is None else _take(old, new, source)
