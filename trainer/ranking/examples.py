"""The examples of ranking: each positive event with other items that retrieval would have returned
at that moment, and each event with a label.
"""

import dataclasses

import numpy as np

from schema import signatures
from trainer.config.models import RankingConfig
from trainer.data.timelines import Timelines
from trainer.data.windows import Batch
from trainer.metrics.top_k import rank_nearest
from trainer.ranking.inputs import RetrievalState, build_event_inputs


@dataclasses.dataclass(frozen=True)
class RankingExamples:
    """`m` events in time order; column 0 of the candidates is the item that was taken."""

    query: Batch
    """The ranking model's inputs of the query by name, [m, …] each."""
    candidates: np.ndarray
    """[m, 1 + negatives] item indices, 0 where retrieval had too few."""
    log_popularity: np.ndarray
    """[m, c] of the candidates as the event saw it."""
    labels: dict[str, np.ndarray]
    """By name: [m] float32 of the item that was taken, NaN where the log has none."""
    event: np.ndarray
    """[m] positions of the events in the arrays of the split's timelines."""

    def __len__(self) -> int:
        """Number of events."""
        return len(self.candidates)

    def inputs(self) -> Batch:
        """All inputs of the ranking model; see `schema.signatures`."""
        return self.query | {
            signatures.CANDIDATES: self.candidates,
            signatures.LOG_POPULARITY: self.log_popularity,
        }


def build_labelled_examples(
    timelines: Timelines, moments: RetrievalState, most: int | None = None
) -> RankingExamples:
    """The latest `most` (or all) events of the split on known items that have any label, positive
    or not, each with its own item alone.

    Their labels can be learned from; which item was taken cannot.
    """
    known = [~np.isnan(values) for values in timelines.labels.values()]
    has_label = np.logical_or.reduce(known) if known else np.zeros_like(timelines.positive)
    chosen = select_latest_events(timelines, has_label, most)
    taken = timelines.item_index[chosen][:, np.newaxis]
    days = moments.days(timelines.timestamps[chosen])
    present = [np.zeros((0, 1), np.float32)] + [counts[taken[part]] for part, counts in days]
    queries = moments.queries(timelines)
    return _build_examples(timelines, chosen, queries, taken, np.concatenate(present), moments)


def build_listwise_examples(
    timelines: Timelines, moments: RetrievalState, config: RankingConfig, rng: np.random.Generator
) -> RankingExamples:
    """Of the latest `max_events` positive events those whose item retrieval returns just then, each
    beside others that it returns.

    An item that retrieval misses never reaches ranking: among candidates that all scored higher it
    would teach that a low score is good. The split must be one that retrieval has not learned from:
    on its own training events it is surer than it will ever be again.
    """
    chosen = select_latest_events(timelines, timelines.positive, config.max_events)
    taken = timelines.item_index[chosen]
    queries = moments.queries(timelines)
    kept, candidates, log_popularity = [], [], []
    for part, present in moments.days(timelines.timestamps[chosen]):
        stood = np.column_stack([moments.vectors, present])
        seen = [_get_history(timelines, event) for event in chosen[part]]
        lists = rank_nearest(queries[chosen[part]], stood, seen, config.candidates)
        found = (lists == taken[part, np.newaxis]).any(axis=1)
        wanted = taken[part][found]
        drawn = np.column_stack(
            [wanted, _draw_negatives(lists[found], wanted, config.negatives, rng)]
        )
        kept.append(chosen[part][found])
        candidates.append(drawn)
        log_popularity.append(present[drawn])
    return _build_examples(
        timelines,
        np.concatenate(kept),
        queries,
        np.concatenate(candidates),
        np.concatenate(log_popularity),
        moments,
    )


def balance_examples(labelled: RankingExamples, listwise: RankingExamples) -> list[RankingExamples]:
    """Both, the listwise ones so often that they are a tenth of what an epoch learns from.

    There are few of them beside all labels of train, which would otherwise be learned by heart
    before the order is learned at all: Adam moves as far for either.
    """
    times = max(1, round(len(labelled) / (9 * len(listwise))))
    return [labelled] * bool(len(labelled)) + [listwise] * times


def select_latest_events(timelines: Timelines, wanted: np.ndarray, most: int | None) -> np.ndarray:
    """Positions of the split's latest own events that are `wanted` [e], on known items, in order of
    time.
    """
    chosen = np.flatnonzero(timelines.own & wanted & (timelines.item_index > 0))
    chosen = chosen[np.argsort(timelines.timestamps[chosen], kind="stable")]
    return chosen if most is None else chosen[-most:]


def _build_examples(
    timelines: Timelines,
    chosen: np.ndarray,
    queries: np.ndarray,
    candidates: np.ndarray,
    log_popularity: np.ndarray,
    moments: RetrievalState,
) -> RankingExamples:
    now = moments.now(timelines.timestamps[chosen])
    length = moments.config.history_length
    return RankingExamples(
        query=build_event_inputs(timelines, chosen, queries[chosen], now, length),
        candidates=candidates.astype(np.int32),
        log_popularity=log_popularity,
        labels={name: values[chosen] for name, values in timelines.labels.items()},
        event=chosen,
    )


def _get_history(timelines: Timelines, event: int) -> np.ndarray:
    row = np.searchsorted(timelines.row_splits, event, side="right") - 1
    return timelines.item_index[timelines.row_splits[row] : event]


def _draw_negatives(
    lists: np.ndarray, taken: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """`count` different items of each row of `lists` [m, c], never the one that was taken.

    Where a row has fewer the rest is 0; the answer is [m, min(count, c)].
    """
    lists = np.where(lists == taken[:, None], 0, lists)
    order = rng.random(lists.shape)
    order[lists == 0] = np.inf
    picked = np.argsort(order, axis=1)[:, :count]
    return np.take_along_axis(lists, picked, axis=1)
