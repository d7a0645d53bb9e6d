"""Logs with planted popularity: on each day, each item has about as many events as planted."""

import numpy as np

from trainer.data.popularity import SECONDS_PER_DAY, PopularityClock


def build_clock(rates: np.ndarray, seed: int = 0) -> PopularityClock:
    """Poisson counts of mean `rates` [days, items], at random times of the day, each by a user of
    its own.
    """
    rng = np.random.default_rng(seed)
    days, items = np.indices(rates.shape)
    counts = rng.poisson(rates).ravel()
    times = np.repeat(days.ravel(), counts) + rng.random(counts.sum())
    order = np.argsort(times)
    item = np.repeat(items.ravel(), counts)[order] + 1
    return PopularityClock(
        (times[order] * SECONDS_PER_DAY).astype(np.int64),
        item.astype(np.int32),
        np.arange(len(item)),
        rates.shape[1] + 1,
    )


def limit(clock: PopularityClock, days: int) -> PopularityClock:
    """The events of the first `days`."""
    end = int(np.searchsorted(clock.timestamps, days * SECONDS_PER_DAY))
    return PopularityClock(
        clock.timestamps[:end], clock.item_index[:end], clock.user[:end], clock.size
    )


def plant_fashions(days: int, items: int = 60, hot: int = 10) -> np.ndarray:
    """[days, items] every day three of ten popular items are replaced."""
    rng = np.random.default_rng(1)
    rates, popular = np.ones((days, items)), rng.permutation(items)[:hot]
    for day in range(days):
        rates[day, popular] = 20 * (1 + np.arange(hot))
        others = np.setdiff1d(np.arange(items), popular)
        popular[rng.choice(hot, 3, replace=False)] = rng.choice(others, 3, replace=False)
    return rates


def plant_constant(days: int, items: int = 60) -> np.ndarray:
    """[days, items] the same every day, with few events."""
    rates = np.random.default_rng(2).permutation(2 / np.arange(1, items + 1) ** 0.5)
    return np.tile(rates, (days, 1))


def plant_careers(days: int, items: int = 200, length: int = 12) -> np.ndarray:
    """[days, items] each item rises for 12 days after its release, and is over on the next."""
    released = np.random.default_rng(3).integers(-length, days, items)
    age = np.arange(days)[:, np.newaxis] - released
    return np.where((age >= 0) & (age < length), 2.0 * np.exp(0.35 * age), 0.02)
