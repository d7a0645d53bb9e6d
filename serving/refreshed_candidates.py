"""Candidates with other items among them, and with another popularity."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema.candidates import Candidates


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
class Refreshed:
    """What became of them."""

    candidates: Candidates
    added: int
    changed: int


def with_items(candidates: Candidates, items: NewItems) -> Refreshed:
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
        item_ids=_taken(candidates.item_ids, items.item_ids, source),
        titles=_taken(candidates.titles, items.titles, source),
        vectors=np.column_stack([taste, popularity]).astype(np.float32),
        log_popularity_at_test=np.pad(at_test, (0, int(is_new.sum()))),
        sample_queries=candidates.sample_queries,
        available=_optional(candidates.available, items.available, source),
        filters=_optional(candidates.filters, items.filters, source),
    )
    return Refreshed(made, int(is_new.sum()), len(changed))


def with_log_popularity(candidates: Candidates, log_popularity: np.ndarray) -> Candidates:
    """The same with `log_popularity` [n] as it is now."""
    vectors = np.column_stack([candidates.vectors[:, :-1], log_popularity]).astype(np.float32)
    return dataclasses.replace(candidates, vectors=vectors)


def _taken(old: pa.Array, new: pa.Array, source: np.ndarray) -> pa.Array:
    return pa.concat_arrays([old, new.cast(old.type)]).take(pa.array(source))


def _optional(old: pa.Array | None, new: pa.Array | None, source: np.ndarray) -> pa.Array | None:
    """Both or neither: one description of the tables has made them."""
    return None if old is None or new is None else _taken(old, new, source)
