"""Training examples of ranking: positive events with other items that retrieval returns at that
moment as negatives, and events with labels.
"""

import dataclasses

import numpy as np

from schema import signatures
from schema.recommend import Repeats
from trainer.config.models import RankingConfig
from trainer.data.timelines import Timelines
from trainer.data.windows import Batch
from trainer.metrics.top_k import rank_nearest
from trainer.ranking.inputs import RetrievalState, build_event_inputs


@dataclasses.dataclass(frozen=True)
class RankingExamples:
    """`m` events in time order; column 0 of the candidates is the event's item."""

    query: Batch
    """The ranking model's query inputs by name, [m, …] each."""
    candidates: np.ndarray
    """[m, 1 + negatives] item indices, 0 where retrieval returns too few."""
    log_popularity: np.ndarray
    """[m, c] of the candidates as of the event."""
    labels: dict[str, np.ndarray]
    """By name: [m] float32 of the event's item, NaN where the log has no value."""
    event: np.ndarray
    """[m] positions of the events in the arrays of the split's timelines."""
    weight: np.ndarray | None = None
    """[m] float32 weight of the event in the loss of the order; None if all are alike."""

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
    timelines: Timelines, state: RetrievalState, most: int | None = None
) -> RankingExamples:
    """The latest `most` (or all) events of the split on known items that have any label, positive
    or not, each with its own item as the only candidate.

    The label heads learn from them; the relevance head cannot without negatives.
    """
    known = [~np.isnan(values) for values in timelines.labels.values()]
    has_label = np.logical_or.reduce(known) if known else np.zeros_like(timelines.positive)
    chosen = select_latest_events(timelines, has_label, most)
    items = timelines.item_index[chosen][:, np.newaxis]
    days = state.days(timelines.timestamps[chosen])
    popularity = [np.zeros((0, 1), np.float32)] + [counts[items[part]] for part, counts in days]
    query_vectors = state.encode_events(timelines)
    return _build_examples(
        timelines, chosen, query_vectors, items, np.concatenate(popularity), state
    )


def build_listwise_examples(
    timelines: Timelines,
    state: RetrievalState,
    config: RankingConfig,
    rng: np.random.Generator,
    repeats: Repeats = "exclude",
) -> RankingExamples:
    """Those of the latest `max_events` positive events whose item retrieval returns at that moment,
    with other returned items as negatives; where the log has impressions, items that were shown
    with the event and not clicked come first.

    An item that retrieval does not return never reaches ranking: among candidates with higher
    retrieval scores it would teach that a low score is good.

    Args:
        timelines: a split that retrieval has not learned from; on its own training events its
            scores would be too confident.
        state: query vectors, item vectors and popularity at the events.
        config: numbers of events, candidates and negatives.
        rng: draws the negatives.
        repeats: whether retrieval returns items of the history.
    """
    chosen = select_latest_events(timelines, timelines.positive, config.max_events)
    items = timelines.item_index[chosen]
    query_vectors = state.encode_events(timelines)
    events, candidates, log_popularity = [], [], []
    for part, popularity in state.days(timelines.timestamps[chosen]):
        vectors = np.column_stack([state.vectors, popularity])
        interacted = [_get_history(timelines, event) for event in chosen[part]]
        lists = rank_nearest(
            query_vectors[chosen[part]], vectors, interacted, config.candidates, repeats
        )
        hit = (lists == items[part, np.newaxis]).any(axis=1)
        positive = items[part][hit]
        shown = _get_shown(timelines, chosen[part][hit], config.negatives)
        negatives = _draw_negatives(shown, lists[hit], positive, config.negatives, rng)
        drawn = np.column_stack([positive, negatives])
        events.append(chosen[part][hit])
        candidates.append(drawn)
        log_popularity.append(popularity[drawn])
    return _build_examples(
        timelines,
        np.concatenate(events),
        query_vectors,
        np.concatenate(candidates),
        np.concatenate(log_popularity),
        state,
    )


def balance_examples(labelled: RankingExamples, listwise: RankingExamples) -> list[RankingExamples]:
    """Both kinds, with the listwise examples repeated until they are a tenth of an epoch.

    There are few of them compared to the labels of train, which the model would otherwise overfit
    before it learns the order: Adam's steps are equally large for both.
    """
    times = max(1, round(len(labelled) / (9 * len(listwise))))
    return [labelled] * bool(len(labelled)) + [listwise] * times


def select_latest_events(timelines: Timelines, wanted: np.ndarray, most: int | None) -> np.ndarray:
    """Positions of the split's latest own events that are `wanted` ([e] bool), on known items, in
    time order; at most `most`.
    """
    chosen = np.flatnonzero(timelines.own & wanted & (timelines.item_index > 0))
    chosen = chosen[np.argsort(timelines.timestamps[chosen], kind="stable")]
    return chosen if most is None else chosen[-most:]


def _build_examples(
    timelines: Timelines,
    chosen: np.ndarray,
    query_vectors: np.ndarray,
    candidates: np.ndarray,
    log_popularity: np.ndarray,
    state: RetrievalState,
) -> RankingExamples:
    now = state.now(timelines.timestamps[chosen])
    length = state.config.history_length
    return RankingExamples(
        query=build_event_inputs(timelines, chosen, query_vectors[chosen], now, length),
        candidates=candidates.astype(np.int32),
        log_popularity=log_popularity,
        labels={name: values[chosen] for name, values in timelines.labels.items()},
        event=chosen,
        weight=None if timelines.weight is None else timelines.weight[chosen],
    )


def _get_history(timelines: Timelines, event: int) -> np.ndarray:
    row = np.searchsorted(timelines.row_splits, event, side="right") - 1
    return timelines.item_index[timelines.row_splits[row] : event]


def _get_shown(timelines: Timelines, events: np.ndarray, least: int) -> np.ndarray:
    """[m] positions of events -> [m, `least` or more] items shown with them, padded with 0; [m, 0]
    for a log without impressions.
    """
    if timelines.shown is None:
        return np.zeros((len(events), 0), np.int32)
    return timelines.shown.pad(events, least)


def _draw_negatives(
    shown: np.ndarray,
    lists: np.ndarray,
    positive: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """[m, min(count, s + c)] distinct items of each row of `shown` [m, s], then of `lists` [m, c],
    other than `positive` [m], padded with 0 where a row has fewer.
    """
    items = np.column_stack([shown, lists]).astype(lists.dtype)
    order = rng.random(items.shape)
    order[:, : shown.shape[1]] -= 1.0
    order[(items == 0) | (items == positive[:, None]) | _find_repeated(items)] = np.inf
    items[np.isinf(order)] = 0
    picked = np.argsort(order, axis=1)[:, :count]
    return np.take_along_axis(items, picked, axis=1)


def _find_repeated(items: np.ndarray) -> np.ndarray:
    """bool [m, n]: whether an earlier column of the row has the same item."""
    order = np.argsort(items, axis=1, kind="stable")
    ascending = np.take_along_axis(items, order, axis=1)
    repeated = np.zeros(items.shape, bool)
    np.put_along_axis(repeated, order[:, 1:], np.diff(ascending, axis=1) == 0, axis=1)
    return repeated
