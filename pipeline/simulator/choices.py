"""What users choose: a softmax over the living items that a user has not chosen before.

    P(item | user, day) ∝ popularity · exp(trend(day) + STRENGTH · user.taste · item.taste)

Drawn exactly and without a [users x items] table, by rejection (von Neumann 1951): items are
proposed by popularity and trend alone and kept with probability exp(STRENGTH · (dot - 1)), which is
at most 1 because tastes have length 1. A user never chooses an item twice.
"""

from collections.abc import Iterator

import numpy as np

from pipeline.simulator.catalogue import Catalogue
from pipeline.simulator.period import day_of
from pipeline.simulator.sessions import Schedule
from pipeline.simulator.users import Users
from pipeline.simulator.world import STRENGTH

BLOCK = 1 << 17
"""Events at the most whose choices are drawn together."""
_POOL = 1 << 19


class Chosen:
    """The (user, item) pairs so far, as sorted numbers user * items + item: 8 bytes an event."""

    def __init__(self, items: int):
        self._items = items
        self._earlier = np.empty(0, dtype=np.int64)
        self._block = np.empty(0, dtype=np.int64)

    def add_new(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Adds the new pairs and says which they are, [n] bool; of equal ones the first is new."""
        pairs = users.astype(np.int64) * self._items + items
        _, firsts = np.unique(pairs, return_index=True)
        new = np.zeros(len(pairs), dtype=bool)
        new[firsts] = True
        new &= ~_contains(self._earlier, pairs) & ~_contains(self._block, pairs)
        self._block = np.sort(np.concatenate([self._block, pairs[new]]))
        return new

    def close_block(self) -> None:
        """Merges what the block added, so that the large array is sorted once a block."""
        self._earlier = np.sort(np.concatenate([self._earlier, self._block]), kind="stable")
        self._block = np.empty(0, dtype=np.int64)


class Proposals:
    """Independent draws of items by `weights` [items], made `size` at a time.

    Multinomial counts in random order are independent draws, at a fifth of a search's cost each.
    """

    def __init__(self, rng: np.random.Generator, weights: np.ndarray, size: int):
        self._rng = rng
        self._items = np.flatnonzero(weights)
        self._shares = weights[self._items] / weights.sum()
        self._size = size
        self._pool = np.empty(0, dtype=np.int64)

    def take(self, n: int) -> np.ndarray:
        """The next `n` draws, [n] item numbers."""
        while len(self._pool) < n:
            counts = self._rng.multinomial(self._size, self._shares)
            drawn = self._rng.permutation(np.repeat(self._items, counts))
            self._pool = np.concatenate([self._pool, drawn])
        taken, self._pool = self._pool[:n], self._pool[n:]
        return taken


def day_weights(catalogue: Catalogue, day: int) -> np.ndarray:
    """Popularity · exp(trend(day)), [items]; 0 for items not yet born."""
    return catalogue.popularity * np.exp(catalogue.life.trend(day))


def blocks(timestamps: np.ndarray) -> Iterator[tuple[int, slice]]:
    """(day, events of it), in order, at most BLOCK events each; `timestamps` [events] ascending."""
    days = day_of(timestamps)
    for day in range(int(days[0]), int(days[-1]) + 1):
        first, end = np.searchsorted(days, [day, day + 1])
        for start in range(first, end, BLOCK):
            yield day, slice(start, min(start + BLOCK, end))


def draw_choices(
    rng: np.random.Generator, catalogue: Catalogue, users: Users, schedule: Schedule
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields (events, their items [n]) block by block, in time order.

    Each user must have fewer events than there are items at the start, or no choice may be left
    and the draw never ends; `simulate` has checked that.
    """
    chosen = Chosen(len(catalogue))
    for day, events in blocks(schedule.timestamps):
        who = schedule.users[events]
        proposals = Proposals(rng, day_weights(catalogue, day), min(64 * len(who), _POOL))
        yield events, _draw_block(rng, who, users.taste, catalogue.taste, proposals, chosen)
        chosen.close_block()


def _draw_block(
    rng: np.random.Generator,
    who: np.ndarray,
    user_taste: np.ndarray,
    item_taste: np.ndarray,
    proposals: Proposals,
    chosen: Chosen,
) -> np.ndarray:
    settled_users, settled_items = [], []
    open_ = np.arange(len(who))
    while len(open_):
        drawn = _propose(rng, user_taste[who[open_]], item_taste, proposals)
        kept = np.flatnonzero(drawn >= 0)
        kept = kept[chosen.add_new(who[open_[kept]], drawn[kept])]
        settled_users.append(who[open_[kept]])
        settled_items.append(drawn[kept])
        open_ = np.delete(open_, kept)
    return _in_time_order(who, np.concatenate(settled_users), np.concatenate(settled_items))


def _in_time_order(
    who: np.ndarray, settled_users: np.ndarray, settled_items: np.ndarray
) -> np.ndarray:
    """Gives a user's first event the item that was settled first, and so on; [n] items.

    A later event may be settled before an earlier one whose draw was a repeat. Settled draws are
    sequential draws without replacement, so it is their order that the events must follow.
    """
    items = np.empty(len(who), dtype=np.int64)
    items[np.argsort(who, kind="stable")] = settled_items[np.argsort(settled_users, kind="stable")]
    return items


def _propose(
    rng: np.random.Generator, taste: np.ndarray, item_taste: np.ndarray, proposals: Proposals
) -> np.ndarray:
    """One draw of the softmax for each row of `taste`, or -1 where every proposal was rejected."""
    tries = int(np.clip(_POOL // len(taste), 4, 64))
    items = proposals.take(len(taste) * tries).reshape(len(taste), tries)
    dot = np.einsum("ud,utd->ut", taste, item_taste[items])
    kept = rng.random(dot.shape) < np.exp(STRENGTH * (dot - 1))
    first = np.argmax(kept, axis=1)
    row = np.arange(len(taste))
    return np.where(kept[row, first], items[row, first], -1)


def _contains(sorted_numbers: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    if not len(sorted_numbers):
        return np.zeros(len(numbers), dtype=bool)
    at = np.searchsorted(sorted_numbers, numbers)
    return sorted_numbers[np.minimum(at, len(sorted_numbers) - 1)] == numbers
