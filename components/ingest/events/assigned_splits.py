"""Splits without a clock, in which each event has its own: by chance, or that of its table.

What is drawn depends on the ids of user and item and on the seed only, and not on the order of the
files or on the number of shards.
"""

import hashlib

import numpy as np
import pyarrow as pa

from components.ingest.events.log import find_user_starts
from components.ingest.fields.table_spec import ITEM_ID, SPLIT, TABLE
from schema import timeline
from schema.dataset import Dataset
from schema.timeline import USER_ID

_TRAIN, _VALID, _TEST = range(len(timeline.SPLITS))
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def mark_table_splits(events: pa.Table, dataset: Dataset) -> pa.Table:
    """Adds the column SPLIT with the split of each event's table, if tables have splits."""
    if dataset.split.kind != "files":
        return events
    splits = [timeline.SPLITS.index(table.split or "") for table in dataset.data.event_tables]
    numbers = np.array(splits, np.int8)[events[TABLE].to_numpy()]
    return events.append_column(SPLIT, pa.array(numbers))


def assign_splits(events: pa.Table, dataset: Dataset) -> pa.Table:
    """Draws events for valid and test, where the configuration wants it, and sorts the events by
    user and SPLIT. Within a split they keep their order; without an order they have a random one.

    `events` are sorted by user, and by SPLIT where `mark_table_splits` has added it.
    """
    users = find_user_starts(events)
    user = np.repeat(np.arange(len(users) - 1), np.diff(users))
    keys = _hash_pairs(events, dataset.split.seed)
    split = _draw_splits(events, user, keys, dataset)
    has_order = dataset.data.interactions.has_order
    order = np.lexsort((np.arange(len(user)) if has_order else keys, split, user))
    if SPLIT in events.column_names:
        events = events.drop([SPLIT])
    return events.append_column(SPLIT, pa.array(split)).take(pa.array(order))


def _draw_splits(
    events: pa.Table, user: np.ndarray, keys: np.ndarray, dataset: Dataset
) -> np.ndarray:
    """int8 [events]: the split of each event."""
    rule = dataset.split
    if rule.kind == "random":
        return draw_held_out(user, keys, rule.valid_fraction, rule.test_fraction)
    split = events[SPLIT].to_numpy().copy()
    if "valid" not in [table.split for table in dataset.data.event_tables]:
        train = split == _TRAIN
        split[train] = draw_held_out(user[train], keys[train], rule.valid_fraction, 0)
    return split


def draw_held_out(
    user: np.ndarray, keys: np.ndarray, valid_fraction: float, test_fraction: float
) -> np.ndarray:
    """Draws the shares of each user's n events for valid and test: int8 [events].

    n × fraction is rounded up or down at random, so that its mean is exact for users with few
    events too; at least one event stays in train.

    Args:
        user: [events] number of the user, ascending.
        keys: [events] uint64, a random number for each pair of user and item.
        valid_fraction: share of valid.
        test_fraction: share of test.
    """
    begins = np.flatnonzero(np.diff(user, prepend=-1))
    counts = np.diff(np.append(begins, len(user)))
    chance = _to_unit(_mix(np.minimum.reduceat(keys, begins))) if len(begins) else np.zeros(0)
    test = np.minimum(np.floor(counts * test_fraction + chance), counts - 1).astype(np.int64)
    # The other end of the same draw: a user whose test is rounded up has a smaller valid.
    valid = np.floor(counts * valid_fraction + (1 - chance)).astype(np.int64)
    valid = np.minimum(valid, counts - 1 - test)
    order = np.lexsort((keys, user))
    rank = np.empty(len(user), np.int64)
    rank[order] = np.arange(len(user)) - np.repeat(begins, counts)
    test, held_out = np.repeat(test, counts), np.repeat(test + valid, counts)
    return np.select([rank < test, rank < held_out], [_TEST, _VALID], _TRAIN).astype(np.int8)


def _hash_pairs(events: pa.Table, seed: int) -> np.ndarray:
    """uint64 [events]: a hash of seed, user and item."""
    user, item = (_hash_ids(events[name], seed, name) for name in (USER_ID, ITEM_ID))
    return _mix(_mix(user) ^ item)


def _hash_ids(ids: pa.ChunkedArray, seed: int, name: str) -> np.ndarray:
    encoded = ids.combine_chunks().dictionary_encode()
    salt = f"{seed} {name} ".encode()
    digests = [
        hashlib.blake2b(salt + identifier.encode(), digest_size=8).digest()
        for identifier in encoded.dictionary.to_pylist()
    ]
    return np.frombuffer(b"".join(digests), np.uint64)[encoded.indices.to_numpy()]


def _mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number
    generators, OOPSLA 2014).
    """
    values = (values ^ (values >> _SHIFTS[0])) * _MULTIPLIERS[0]
    values = (values ^ (values >> _SHIFTS[1])) * _MULTIPLIERS[1]
    return values ^ (values >> _SHIFTS[2])


def _to_unit(values: np.ndarray) -> np.ndarray:
    """uint64 -> float64 in [0, 1)."""
    return (values >> np.uint64(11)) / float(1 << 53)
