"""The inputs of ranking as arrays: for an event of the log, and for an evaluation query.

`RetrievalState` is the state of retrieval at the moment of an event: vectors and popularity.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures, timeline
from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import SECONDS_PER_DAY
from trainer.data.timelines import Timelines
from trainer.data.windows import Batch, batch_windows, cut_windows
from trainer.metrics.top_k import iterate_blocks

QueryEncoder = Callable[[Batch], np.ndarray]
_ROWS = 512


@dataclasses.dataclass(frozen=True)
class RetrievalState:
    """Query encoder, item vectors and popularity for the events of a split."""

    encode: QueryEncoder
    vectors: np.ndarray
    """[n + 1, dim] of the items."""
    log_popularity: Callable[[int], np.ndarray]
    """Time in seconds since epoch, UTC -> [n + 1] log popularity as of that time."""
    config: RetrievalConfig
    popular_at: int | None = None
    """Time of the popularity for all events; seconds since epoch, UTC. None: for each event the
    beginning of its day."""
    has_clock: bool = True
    """Whether timestamps are times. If not, every event's query has the time `popular_at`."""

    def now(self, timestamps: np.ndarray) -> np.ndarray:
        """[m] timestamps of events -> [m] times of their ranking queries."""
        if self.has_clock:
            return timestamps
        assert self.popular_at is not None, "without a clock there is one moment for all"
        return np.full(len(timestamps), self.popular_at, np.int64)

    def days(self, timestamps: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Slices of the ascending timestamps with the same log popularity, and that log popularity
        [n + 1].

        It is as of the beginning of a day, so an event is never counted in its own popularity.
        """
        if not len(timestamps):
            return
        day = timestamps // SECONDS_PER_DAY
        if self.popular_at is not None:
            day = np.zeros_like(day)
        for first in np.flatnonzero(np.diff(day, prepend=day[0] - 1)):
            end = int(np.searchsorted(day, day[first], side="right"))
            at = int(day[first]) * SECONDS_PER_DAY if self.popular_at is None else self.popular_at
            popularity = self.log_popularity(at)
            for part in iterate_blocks(end - int(first), _ROWS):
                yield slice(part.start + first, part.stop + first), popularity

    def encode_events(self, timelines: Timelines) -> np.ndarray:
        """[e, dim + 1] the query vector just before each event that belongs to the split; 0 for
        the others.
        """
        everything = dataclasses.replace(timelines, positive=np.ones_like(timelines.positive))
        cuts = cut_windows(everything, self.config.history_length)
        query_vectors = None
        for batch in batch_windows(everything, cuts, self.config.positions_per_batch, None):
            vectors = self.encode(batch)
            if query_vectors is None:
                query_vectors = np.zeros((len(timelines.item_index), vectors.shape[-1]), np.float32)
            query_vectors[batch["event"][batch["target"]]] = vectors[batch["target"]]
        assert query_vectors is not None, "ingestion rejects an empty split"
        return query_vectors


def create_encoder(query: Any) -> QueryEncoder:
    """Wraps `positions` of a loaded query model to accept and return numpy arrays."""

    def encode(batch: Batch) -> np.ndarray:
        return query.positions({k: tf.constant(v) for k, v in batch.items()}).numpy()

    return encode


def build_event_inputs(
    timelines: Timelines,
    chosen: np.ndarray,
    query_vectors: np.ndarray,
    now: np.ndarray,
    length: int,
) -> Batch:
    """The ranking model's inputs for events, except the candidates; see `schema.signatures`.

    Args:
        timelines: timelines of the events.
        chosen: [m] positions of the events; each query is just before its event.
        query_vectors: [m, dim + 1] query vectors of these events.
        now: [m] times of the queries; seconds since epoch, UTC.
        length: number of history items.
    """
    row = timelines.rows[chosen]
    context = {timeline.name_context(n): values[chosen] for n, values in timelines.context.items()}
    return _build_inputs(timelines, row, chosen, query_vectors, now, length) | context


def build_query_inputs(queries: EvaluationQueries, query_vectors: np.ndarray, length: int) -> Batch:
    """The ranking model's inputs for `q` evaluation queries, except the candidates.

    The context at the moment of an evaluation query is unknown, so it is 0.
    """
    split, row = queries.timelines, queries.row
    stop = _find_query_positions(queries)
    now = np.full(len(queries), queries.now, np.int64)
    context = {
        timeline.name_context(name): np.zeros((len(queries), *values.shape[1:]), values.dtype)
        for name, values in split.context.items()
    }
    return _build_inputs(split, row, stop, query_vectors, now, length) | context


def gather_query_history(queries: EvaluationQueries, length: int) -> np.ndarray:
    """[q, length] the latest items of the histories of evaluation queries, padded with 0 in
    front.
    """
    return _gather_history(queries.timelines, queries.row, _find_query_positions(queries), length)


def _find_query_positions(queries: EvaluationQueries) -> np.ndarray:
    """[q] one past the last event of each query's history."""
    split, row = queries.timelines, queries.row
    return split.row_splits[row] + split.target_from[row]


def _build_inputs(
    timelines: Timelines,
    row: np.ndarray,
    stop: np.ndarray,
    query_vectors: np.ndarray,
    now: np.ndarray,
    length: int,
) -> Batch:
    return {
        signatures.VECTOR: query_vectors.astype(np.float32),
        signatures.USER_INDEX: timelines.user_index[row],
        signatures.HISTORY_INDEX: _gather_history(timelines, row, stop, length),
        signatures.NOW: now,
    }


def _gather_history(
    timelines: Timelines, row: np.ndarray, stop: np.ndarray, length: int
) -> np.ndarray:
    """[m, length] the items just before event `stop` [m] of timeline `row` [m], padded with 0 in
    front.
    """
    where = stop[:, np.newaxis] - length + np.arange(length)
    inside = where >= timelines.row_splits[row][:, np.newaxis]
    return np.where(inside, timelines.item_index[np.where(inside, where, 0)], 0).astype(np.int32)
