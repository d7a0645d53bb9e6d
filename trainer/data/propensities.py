"""Exposure propensities: how often each item was shown, counted from impressions.

What a user interacts with depends on what the old system showed. The propensity of an item is the
probability that an impression shows it, to whomever and at whichever position (Schnabel et al.,
Recommendations as treatments, ICML 2016; for implicit feedback Yang et al., Unbiased offline
recommender evaluation for missing-not-at-random implicit feedback, RecSys 2018).
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from trainer.data.popularity import number_users
from trainer.data.timelines import Timelines

_SEED = 1


@dataclasses.dataclass(frozen=True)
class ExposurePropensities:
    """How often each of the `n` items of the catalogue was shown."""

    impressions: int
    """Number of impressions, at least one."""
    shown: np.ndarray
    """[n + 1] int64 number of impressions with the item, clicked or not; 0 for the unknown item."""

    @property
    def values(self) -> np.ndarray:
        """[n + 1] in (0, 1): (shown + 1) / (impressions + 2), the posterior mean with a uniform
        prior (Laplace's rule of succession), so that an item that was never shown has one too.
        """
        return (self.shown + 1) / (self.impressions + 2)


def count_impressions(splits: list[Timelines], size: int) -> ExposurePropensities | None:
    """Counts the impressions of the splits' own events; None if there are none.

    An event without other shown items need not come from an impression, and is not counted. An
    impression with several clicks has an event for each, with the same user, time and other items;
    it counts once. So does an item that an impression lists twice.

    Args:
        splits: only splits that may be known at the time of the query.
        size: the catalogue's items plus one.
    """
    rows = [
        _read_impressions(split, user)
        for split, user in zip(splits, number_users(splits), strict=True)
        if split.shown is not None
    ]
    if not any(len(row.clicked) for row in rows):
        return None
    joined = _Impressions(*map(np.concatenate, zip(*rows, strict=True)))
    impression = _number_impressions(joined, size)
    members = np.concatenate([impression, np.repeat(impression, joined.counts)])
    items = np.concatenate([joined.clicked, joined.others])
    pairs = np.unique(members * size + items)
    shown = np.bincount(pairs % size, minlength=size)
    shown[0] = 0
    return ExposurePropensities(int(impression.max()) + 1, shown)


class _Impressions(NamedTuple):
    """`e` events with other shown items, `s` in total."""

    user: np.ndarray
    """[e] number of the user, the same in all splits."""
    time: np.ndarray
    """[e] seconds since epoch, UTC."""
    clicked: np.ndarray
    """[e] the event's item."""
    counts: np.ndarray
    """[e] number of the other items, at least 1."""
    others: np.ndarray
    """[s] int64."""


def _read_impressions(split: Timelines, user: np.ndarray) -> _Impressions:
    """`user` is [u], the number of each timeline's user; events of the history have no items."""
    assert split.shown is not None, "expected a log with impressions"
    counts = np.diff(split.shown.row_splits)
    events = np.flatnonzero(counts)
    return _Impressions(
        user[split.rows[events]],
        split.timestamps[events],
        split.item_index[events].astype(np.int64),
        counts[events],
        split.shown.items.astype(np.int64),
    )


def _number_impressions(events: _Impressions, size: int) -> np.ndarray:
    """[e] number of each event's impression, from 0: the same for the same user, time and list.

    Lists are compared by a hash of 64 bits, weighted by position so that their order counts.
    """
    codes = np.random.default_rng(_SEED).integers(1 << 63, size=size, dtype=np.uint64)
    starts = np.cumsum(events.counts) - events.counts
    position = np.arange(len(events.others)) - np.repeat(starts, events.counts)
    hashed = np.add.reduceat(codes[events.others] * (2 * position + 1).astype(np.uint64), starts)
    columns = (hashed, events.counts, events.time, events.user)
    order = np.lexsort(columns)
    is_new = np.zeros(len(order), bool)
    for column in columns:
        ascending = column[order]
        is_new[1:] |= ascending[1:] != ascending[:-1]
    impression = np.empty(len(order), np.int64)
    impression[order] = np.cumsum(is_new)
    return impression
