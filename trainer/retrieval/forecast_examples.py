"""Examples to learn the popularity forecast from: items' popularity before and after moments."""

import dataclasses

import numpy as np

from trainer.data.popularity import SECONDS_PER_DAY, PopularityClock
from trainer.data.popularity_forecast import WINDOWS, measure_windows

_MOMENTS = 64
_ITEMS = 16_384
_ABSENT = -1e9  # a logit whose exponential is 0, and whose product with 0 votes is still 0


@dataclasses.dataclass(frozen=True)
class ForecastExamples:
    """Popularity before and after `m` moments, in equally many rows for each.

    A row is an item, or stands for several items that are alike or were not drawn.
    """

    moments: np.ndarray
    """[m] ascending; seconds since epoch, UTC."""
    windows: np.ndarray
    """[m, rows, windows] float32, as from `measure_windows`."""
    votes: np.ndarray
    """[m, rows] float32 votes in the days after the moment."""
    log_weight: np.ndarray
    """[m, rows] float32 log of the number of items that a row stands for, -1e9 for padding."""

    def select(self, chosen: np.ndarray) -> "ForecastExamples":
        """The examples of the chosen moments; `chosen` [m] bool."""
        parts = (self.moments, self.windows, self.votes, self.log_weight)
        return ForecastExamples(*(part[chosen] for part in parts))


@dataclasses.dataclass(frozen=True)
class ItemRows:
    """The rows of one moment; see `ForecastExamples`."""

    windows: np.ndarray
    """[rows, windows]"""
    votes: np.ndarray
    """[rows]"""
    weight: np.ndarray
    """[rows] number of items that a row stands for."""


def build_examples(
    clock: PopularityClock, days: float, horizon: float, seed: int
) -> ForecastExamples:
    """One example per day of the log's bulk, at most the latest 64; none for a log of less than a
    day.

    Args:
        clock: the events that may be known.
        days: length of the longest window.
        horizon: days after each moment in which votes count.
        seed: seed of the draw of items.
    """
    begin, end = clock.bulk
    moments = np.arange(end - SECONDS_PER_DAY, begin, -SECONDS_PER_DAY)[:_MOMENTS][::-1]
    rng = np.random.default_rng(seed)
    return _stack_rows(
        moments,
        [
            draw_items(
                measure_windows(clock, int(moment), days),
                count_later_votes(clock, int(moment), horizon),
                rng,
            )
            for moment in moments
        ],
    )


def count_later_votes(clock: PopularityClock, moment: int, horizon: float) -> np.ndarray:
    """[size] votes in the `horizon` days from `moment` on, as far as the log's bulk goes."""
    stop = min(int(moment + horizon * SECONDS_PER_DAY), clock.bulk.end)
    return clock.votes_between(moment, stop)


def draw_items(
    windows: np.ndarray, votes: np.ndarray, rng: np.random.Generator, most: int = _ITEMS
) -> ItemRows:
    """One row for each item with events before or votes after the moment, and a last one for all
    other items.

    Of more than `most` items, the half of `most` with the most votes have a row each; of the
    others as many are drawn uniformly, each standing for its share of them. So the sum of the
    votes, and of any function of the items, is correct in expectation.

    Args:
        windows: [size, windows] as from `measure_windows`.
        votes: [size] votes after the moment; item 0, the unknown one, has neither.
        rng: draws the items.
        most: number of rows, without the last one.
    """
    active = np.flatnonzero(windows.any(axis=1) | (votes > 0))
    active = active[np.argsort(-votes[active], kind="stable")]
    certain, others = np.split(active, [most // 2 if len(active) > most else len(active)])
    drawn = rng.choice(others, min(len(others), most - len(certain)), replace=False)
    rows = np.concatenate([certain, drawn])
    weight = np.repeat([1.0, len(others) / max(len(drawn), 1)], [len(certain), len(drawn)])
    inactive = max(1, len(votes) - 1 - len(active))  # a catalogue gets new items: at least one
    return ItemRows(
        np.concatenate([windows[rows], np.zeros((1, WINDOWS))]),
        np.append(votes[rows] * weight, 0.0),
        np.append(weight, inactive),
    )


def _stack_rows(moments: np.ndarray, parts: list[ItemRows]) -> ForecastExamples:
    shape = (len(parts), max((len(part.votes) for part in parts), default=0))
    windows, votes = np.zeros((*shape, WINDOWS), np.float32), np.zeros(shape, np.float32)
    log_weight = np.full(shape, _ABSENT, np.float32)
    for number, part in enumerate(parts):
        rows = slice(len(part.votes))
        windows[number, rows], votes[number, rows] = part.windows, part.votes
        log_weight[number, rows] = np.log(part.weight)
    return ForecastExamples(moments, windows, votes, log_weight)
