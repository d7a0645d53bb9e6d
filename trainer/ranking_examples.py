"""What ranking learns from: each positive event beside items that retrieval would have returned
just then.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from trainer import popularity, ranked_lists, windows
from trainer.config import RankingConfig, RetrievalConfig
from trainer.popularity import SECONDS_PER_DAY, PopularityClock
from trainer.timelines import Timelines

Encoder = Callable[[windows.Batch], np.ndarray]
_ROWS = 512


@dataclasses.dataclass(frozen=True)
class RankingExamples:
    """`m` positive events in time order; column 0 of the candidates is the item that was taken."""

    query: np.ndarray
    """[m, dim + 1] query vectors."""
    user_index: np.ndarray
    """[m]."""
    candidates: np.ndarray
    """[m, 1 + negatives] item indices, 0 where retrieval had too few."""
    log_popularity: np.ndarray
    """[m, c] of the candidates at the event's day."""
    labels: dict[str, np.ndarray]
    """By name: [m] float32 of the item that was taken, NaN where the log has none."""

    def __len__(self) -> int:
        """Number of events."""
        return len(self.query)


@dataclasses.dataclass(frozen=True)
class Moments:
    """What retrieval knows at each event: vectors, and how popular everything was that day."""

    encode: Encoder
    vectors: np.ndarray
    """[n + 1, dim] of the items."""
    clock: PopularityClock
    config: RetrievalConfig


def labelled(timelines: Timelines, moments: Moments, config: RankingConfig) -> RankingExamples:
    """The latest `max_events` positive events of the split, each with its own item alone.

    Their labels can be learned from; which item was taken cannot.
    """
    chosen = latest_positive(timelines, config.max_events)
    taken = timelines.item_index[chosen][:, np.newaxis]
    days = _days(timelines.timestamps[chosen], moments)
    present = [counts[taken[part]] for part, counts in days]
    queries = event_queries(timelines, moments)
    return _examples(timelines, chosen, queries, taken, np.concatenate(present))


def contested(
    timelines: Timelines, moments: Moments, config: RankingConfig, rng: np.random.Generator
) -> RankingExamples:
    """Of the latest `max_events` positive events those whose item retrieval returns just then, each
    beside others that it returns.

    An item that retrieval misses never reaches ranking: among candidates that all scored higher it
    would teach that a low score is good. The split must be one that retrieval has not learned from:
    on its own training events it is surer than it will ever be again.
    """
    chosen = latest_positive(timelines, config.max_events)
    taken = timelines.item_index[chosen]
    queries = event_queries(timelines, moments)
    kept, candidates, log_popularity = [], [], []
    for part, present in _days(timelines.timestamps[chosen], moments):
        stood = np.column_stack([moments.vectors, present])
        seen = [_history(timelines, event) for event in chosen[part]]
        lists = ranked_lists.nearest(queries[chosen[part]], stood, seen, config.candidates)
        found = (lists == taken[part, np.newaxis]).any(axis=1)
        wanted = taken[part][found]
        drawn = np.column_stack([wanted, _draw(lists[found], wanted, config.negatives, rng)])
        kept.append(chosen[part][found])
        candidates.append(drawn)
        log_popularity.append(present[drawn])
    return _examples(
        timelines,
        np.concatenate(kept),
        queries,
        np.concatenate(candidates),
        np.concatenate(log_popularity),
    )


def latest_positive(timelines: Timelines, most: int) -> np.ndarray:
    """Positions of the split's latest positive events on known items, in order of time."""
    chosen = np.flatnonzero(timelines.own & timelines.positive & (timelines.item_index > 0))
    return chosen[np.argsort(timelines.timestamps[chosen], kind="stable")][-most:]


def _examples(
    timelines: Timelines,
    chosen: np.ndarray,
    queries: np.ndarray,
    candidates: np.ndarray,
    log_popularity: np.ndarray,
) -> RankingExamples:
    return RankingExamples(
        query=queries[chosen],
        user_index=timelines.user_index[timelines.rows[chosen]],
        candidates=candidates.astype(np.int32),
        log_popularity=log_popularity,
        labels={name: values[chosen] for name, values in timelines.labels.items()},
    )


def event_queries(timelines: Timelines, moments: Moments) -> np.ndarray:
    """[e, dim + 1] the query vector just before each event that belongs to the split; 0 for the
    others.
    """
    config = moments.config
    cuts = windows.cut(timelines, config.history_length)
    queries = None
    for batch in windows.batched(timelines, cuts, config.positions_per_batch, None):
        vectors = moments.encode(batch)
        if queries is None:
            queries = np.zeros((len(timelines.item_index), vectors.shape[-1]), np.float32)
        queries[batch["event"][batch["target"]]] = vectors[batch["target"]]
    assert queries is not None, "ingestion lets no empty split through"
    return queries


def _days(timestamps: np.ndarray, moments: Moments) -> Iterator[tuple[slice, np.ndarray]]:
    """Slices of events of one day, with the log popularity [n + 1] at the day's beginning.

    So an event never sees itself counted.
    """
    day = timestamps // SECONDS_PER_DAY
    for first in np.flatnonzero(np.diff(day, prepend=day[0] - 1)):
        end = int(np.searchsorted(day, day[first], side="right"))
        moment = int(day[first]) * SECONDS_PER_DAY
        votes = moments.clock.votes(moment, moments.config.popularity_days)
        present = popularity.log_popularity(votes)
        for part in ranked_lists.slices(end - int(first), _ROWS):
            yield slice(part.start + first, part.stop + first), present


def _history(timelines: Timelines, event: int) -> np.ndarray:
    row = np.searchsorted(timelines.row_splits, event, side="right") - 1
    return timelines.item_index[timelines.row_splits[row] : event]


def _draw(lists: np.ndarray, taken: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` different items of each row of `lists` [m, c], never the one that was taken.

    Where a row has fewer the rest is 0; the answer is [m, min(count, c)].
    """
    lists = np.where(lists == taken[:, None], 0, lists)
    order = rng.random(lists.shape)
    order[lists == 0] = np.inf
    picked = np.argsort(order, axis=1)[:, :count]
    return np.take_along_axis(lists, picked, axis=1)
