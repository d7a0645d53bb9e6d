"""What users choose, and the outcome of each choice.

A choice is a softmax over the items that are born and that the user has not chosen before:

    P(item | user, day) ∝ popularity · exp(trend(day) + STRENGTH · user.taste · item.taste)

It is drawn exactly, without a [users x items] table, by rejection (von Neumann 1951): items are
proposed by popularity and trend alone and accepted with probability exp(STRENGTH · (dot - 1)),
which is at most 1 because tastes have length 1. A user never chooses an item twice.

Outcomes, with a = user.taste · item.taste and p = the standardised logarithm of the price:

    P(purchase) = sigmoid(-0.8 + 3 (a - 0.6) - thrift · p)
    rating      = 3.5 + 1.6 (a - 0.6) + 0.45 quality + noise of deviation 0.5, in halves from 1 to 5
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.simulator.catalogue import Catalogue
from pipeline.simulator.users import Schedule, Users
from pipeline.simulator.world import STRENGTH, compute_days

MAX_BLOCK_EVENTS = 1 << 17
"""Maximum number of events whose choices are drawn together."""
_POOL_SIZE = 1 << 19
_USUAL_AFFINITY = 0.6


class ChosenPairs:
    """The (user, item) pairs so far, as sorted numbers user * items + item: 8 bytes per event."""

    def __init__(self, items: int):
        self._items = items
        self._earlier = np.empty(0, dtype=np.int64)
        self._block = np.empty(0, dtype=np.int64)

    def add_new(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Adds the new pairs and returns which are new, [n] bool; of equal pairs only the first is
        new.
        """
        pairs = users.astype(np.int64) * self._items + items
        _, firsts = np.unique(pairs, return_index=True)
        new = np.zeros(len(pairs), dtype=bool)
        new[firsts] = True
        new &= ~_contains(self._earlier, pairs) & ~_contains(self._block, pairs)
        self._block = np.sort(np.concatenate([self._block, pairs[new]]))
        return new

    def close_block(self) -> None:
        """Merges the pairs of this block, so that the large array is sorted once per block."""
        self._earlier = np.sort(np.concatenate([self._earlier, self._block]), kind="stable")
        self._block = np.empty(0, dtype=np.int64)


class Proposals:
    """Independent draws of items by `weights` [items], drawn `size` at a time.

    Multinomial counts in random order are independent draws, five times cheaper than a search.
    """

    def __init__(self, rng: np.random.Generator, weights: np.ndarray, size: int):
        self._rng = rng
        self._items = np.flatnonzero(weights)
        self._shares = weights[self._items] / weights.sum()
        self._size = size
        self._pool = np.empty(0, dtype=np.int64)

    def draw(self, n: int) -> np.ndarray:
        """The next `n` draws, [n] item numbers."""
        while len(self._pool) < n:
            counts = self._rng.multinomial(self._size, self._shares)
            drawn = self._rng.permutation(np.repeat(self._items, counts))
            self._pool = np.concatenate([self._pool, drawn])
        drawn, self._pool = self._pool[:n], self._pool[n:]
        return drawn


def compute_day_weights(catalogue: Catalogue, day: int) -> np.ndarray:
    """Popularity · exp(trend(day)), [items]; 0 for items not yet born."""
    return catalogue.popularity * np.exp(catalogue.life.compute_trend(day))


def split_blocks(timestamps: np.ndarray) -> Iterator[tuple[int, slice]]:
    """Yields (day, slice of its events), at most MAX_BLOCK_EVENTS each; `timestamps` [n >= 1] are
    ascending.
    """
    days = compute_days(timestamps)
    for day in range(int(days[0]), int(days[-1]) + 1):
        first, end = np.searchsorted(days, [day, day + 1])
        for start in range(first, end, MAX_BLOCK_EVENTS):
            yield day, slice(start, min(start + MAX_BLOCK_EVENTS, end))


def draw_choices(
    rng: np.random.Generator, catalogue: Catalogue, users: Users, schedule: Schedule
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields (events, their items [n]) block by block, in time order.

    Each user must have fewer events than there are items at the start; otherwise a user may run out
    of items and the draw never ends. `simulate` checks that.

    Args:
        rng: Source of the draws.
        catalogue: All items.
        users: All users.
        schedule: User and time of each event; its order is that of the result.
    """
    chosen = ChosenPairs(len(catalogue))
    for day, events in split_blocks(schedule.timestamps):
        user_index = schedule.users[events]
        proposals = Proposals(
            rng, compute_day_weights(catalogue, day), min(64 * len(user_index), _POOL_SIZE)
        )
        yield events, _draw_block(rng, user_index, users.taste, catalogue.taste, proposals, chosen)
        chosen.close_block()


def _draw_block(
    rng: np.random.Generator,
    user_index: np.ndarray,
    user_taste: np.ndarray,
    item_taste: np.ndarray,
    proposals: Proposals,
    chosen: ChosenPairs,
) -> np.ndarray:
    settled_users, settled_items = [], []
    open_ = np.arange(len(user_index))
    while len(open_):
        drawn = _propose(rng, user_taste[user_index[open_]], item_taste, proposals)
        accepted = np.flatnonzero(drawn >= 0)
        accepted = accepted[chosen.add_new(user_index[open_[accepted]], drawn[accepted])]
        settled_users.append(user_index[open_[accepted]])
        settled_items.append(drawn[accepted])
        open_ = np.delete(open_, accepted)
    return _sort_by_time(user_index, np.concatenate(settled_users), np.concatenate(settled_items))


def _sort_by_time(
    user_index: np.ndarray, settled_users: np.ndarray, settled_items: np.ndarray
) -> np.ndarray:
    """Gives a user's first event the item that was settled first, and so on; [n] items.

    A later event may be settled before an earlier one whose draw was a repeat. Settled draws are
    sequential draws without replacement, so it is their order that the events must follow.
    """
    items = np.empty(len(user_index), dtype=np.int64)
    items[np.argsort(user_index, kind="stable")] = settled_items[
        np.argsort(settled_users, kind="stable")
    ]
    return items


def _propose(
    rng: np.random.Generator, taste: np.ndarray, item_taste: np.ndarray, proposals: Proposals
) -> np.ndarray:
    """One draw of the softmax for each row of `taste`, or -1 where every proposal was rejected."""
    tries = int(np.clip(_POOL_SIZE // len(taste), 4, 64))
    items = proposals.draw(len(taste) * tries).reshape(len(taste), tries)
    dot = np.einsum("ud,utd->ut", taste, item_taste[items])
    accepted = rng.random(dot.shape) < np.exp(STRENGTH * (dot - 1))
    first = np.argmax(accepted, axis=1)
    row = np.arange(len(taste))
    return np.where(accepted[row, first], items[row, first], -1)


def _contains(sorted_numbers: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    if not len(sorted_numbers):
        return np.zeros(len(numbers), dtype=bool)
    at = np.searchsorted(sorted_numbers, numbers)
    return sorted_numbers[np.minimum(at, len(sorted_numbers) - 1)] == numbers


@dataclass(frozen=True)
class Outcomes:
    """One value per event; every array is [events]."""

    device: np.ndarray
    """Index into DEVICES."""
    purchase: np.ndarray
    """1 when bought, else 0."""
    rating: np.ndarray
    """1.0, 1.5 … 5.0."""


def draw_outcomes(
    rng: np.random.Generator,
    catalogue: Catalogue,
    users: Users,
    user_index: np.ndarray,
    item_index: np.ndarray,
) -> Outcomes:
    """Draws the outcome of each event.

    Args:
        rng: Source of the draws.
        catalogue: All items.
        users: All users.
        user_index: User of each event, [n].
        item_index: Item of each event, [n].
    """
    affinity = np.einsum("nd,nd->n", users.taste[user_index], catalogue.taste[item_index])
    liking = affinity - _USUAL_AFFINITY
    price = _standardise_prices(catalogue)[item_index]
    log_odds = -0.8 + 3.0 * liking - users.thrift[user_index] * price
    stars = 3.5 + 1.6 * liking + 0.45 * catalogue.quality[item_index]
    stars += 0.5 * rng.standard_normal(len(user_index))
    return Outcomes(
        device=_draw_devices(rng, users.device[user_index]),
        purchase=(rng.random(len(user_index)) < 1 / (1 + np.exp(-log_odds))).astype(np.int64),
        rating=np.clip(np.round(2 * stars) / 2, 1.0, 5.0),
    )


def _standardise_prices(catalogue: Catalogue) -> np.ndarray:
    log_price = np.log(catalogue.price)
    return (log_price - log_price.mean()) / log_price.std()


def _draw_devices(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    passed = rng.random((len(shares), 1)) > np.cumsum(shares, axis=1)[:, :-1]
    return passed.sum(axis=1)
