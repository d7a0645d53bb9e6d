"""The inputs of ranking as arrays: for an event of the log, and for an evaluation query.

`RetrievalState` is what retrieval knew at the moment of an event: vectors and popularity.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures, timeline
from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import SECONDS_PER_DAY, PopularityClock, compute_log_popularity
from trainer.data.timelines import Timelines
from trainer.data.windows import Batch, batch_windows, cut_windows
from trainer.metrics.top_k import iterate_blocks

QueryEncoder = Callable[[Batch], np.ndarray]
_ROWS = 512


@dataclasses.dataclass(frozen=True)
class RetrievalState:
    """What stands around the events of a split."""

    encode: QueryEncoder
    vectors: np.ndarray
    """[n + 1, dim] of the items."""
    clock: PopularityClock
    config: RetrievalConfig
    popular_at: int | None = None
    """The one moment whose popularity all events see, seconds since epoch; None: each that of the
    beginning of its own day."""
    has_clock: bool = True
    """Without one an event's timestamp is no time of day, and it is asked about at `popular_at` as
    all questions are."""

    def now(self, timestamps: np.ndarray) -> np.ndarray:
        """[m] timestamps of events -> [m] the moments at which ranking is asked about them."""
        if self.has_clock:
            return timestamps
        assert self.popular_at is not None, "without a clock there is one moment for all"
        return np.full(len(timestamps), self.popular_at, np.int64)

    def log_popularity(self, moment: int) -> np.ndarray:
        """[n + 1] as of `moment`."""
        return compute_log_popularity(self.clock.votes(moment, self.config.popularity_days))

    def days(self, timestamps: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Slices of the ascending timestamps that see the same log popularity, and that [n + 1].

        As of the beginning of a day: so an event never sees itself counted.
        """
        if not len(timestamps):
            return
        day = timestamps // SECONDS_PER_DAY
        if self.popular_at is not None:
            day = np.zeros_like(day)
        for first in np.flatnonzero(np.diff(day, prepend=day[0] - 1)):
            end = int(np.searchsorted(day, day[first], side="right"))
            at = int(day[first]) * SECONDS_PER_DAY if self.popular_at is None else self.popular_at
            present = self.log_popularity(at)
            for part in iterate_blocks(end - int(first), _ROWS):
                yield slice(part.start + first, part.stop + first), present

    def queries(self, timelines: Timelines) -> np.ndarray:
        """[e, dim + 1] the query vector just before each event that belongs to the split; 0 for
        the others.
        """
        everything = dataclasses.replace(timelines, positive=np.ones_like(timelines.positive))
        cuts = cut_windows(everything, self.config.history_length)
        queries = None
        for batch in batch_windows(everything, cuts, self.config.positions_per_batch, None):
            vectors = self.encode(batch)
            if queries is None:
                queries = np.zeros((len(timelines.item_index), vectors.shape[-1]), np.float32)
            queries[batch["event"][batch["target"]]] = vectors[batch["target"]]
        assert queries is not None, "ingestion lets no empty split through"
        return queries


def create_encoder(query: Any) -> QueryEncoder:
    """numpy in, numpy out, around the `positions` of a loaded query model."""

    def encode(batch: Batch) -> np.ndarray:
        return query.positions({k: tf.constant(v) for k, v in batch.items()}).numpy()

    return encode


def build_event_inputs(
    timelines: Timelines, chosen: np.ndarray, queries: np.ndarray, now: np.ndarray, length: int
) -> Batch:
    """Just before each of the `chosen` [m] events, whose context is known.

    `queries` [m, dim + 1] and `now` [m] belong to them. Answers the inputs of the ranking model by
    name, apart from the candidates: see `schema.signatures`.
    """
    row = timelines.rows[chosen]
    context = {timeline.name_context(n): values[chosen] for n, values in timelines.context.items()}
    return _build_inputs(timelines, row, chosen, queries, now, length) | context


def build_query_inputs(asked: EvaluationQueries, queries: np.ndarray, length: int) -> Batch:
    """Of those asked [q]; at a question's moment the context is unknown, which 0 stands for."""
    split, row = asked.timelines, asked.row
    stop = split.row_splits[row] + split.target_from[row]
    now = np.full(len(asked), asked.now, np.int64)
    context = {
        timeline.name_context(name): np.zeros((len(asked), *values.shape[1:]), values.dtype)
        for name, values in split.context.items()
    }
    return _build_inputs(split, row, stop, queries, now, length) | context


def _build_inputs(
    timelines: Timelines,
    row: np.ndarray,
    stop: np.ndarray,
    queries: np.ndarray,
    now: np.ndarray,
    length: int,
) -> Batch:
    return {
        signatures.VECTOR: queries.astype(np.float32),
        signatures.USER_INDEX: timelines.user_index[row],
        signatures.HISTORY_INDEX: _gather_history(timelines, row, stop, length),
        signatures.NOW: now,
    }


def _gather_history(
    timelines: Timelines, row: np.ndarray, stop: np.ndarray, length: int
) -> np.ndarray:
    """[m, length] the items just before event `stop` [m] of timeline `row`, 0 where a history is
    shorter.
    """
    where = stop[:, np.newaxis] - length + np.arange(length)
    inside = where >= timelines.row_splits[row][:, np.newaxis]
    return np.where(inside, timelines.item_index[np.where(inside, where, 0)], 0).astype(np.int32)
