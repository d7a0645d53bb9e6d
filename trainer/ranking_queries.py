"""What ranking reads of a query, as arrays: of an event, and of a question of evaluation."""

import numpy as np

from schema import signatures, timeline
from trainer.data.evaluation_queries import Questions
from trainer.data.timelines import Timelines
from trainer.data.windows import Batch


def of_events(
    timelines: Timelines, chosen: np.ndarray, queries: np.ndarray, now: np.ndarray, length: int
) -> Batch:
    """Just before each of the `chosen` [m] events, whose context is known.

    `queries` [m, dim + 1] and `now` [m] belong to them. Answers the inputs of the ranking model by
    name, apart from the candidates: see `schema.signatures`.
    """
    row = timelines.rows[chosen]
    context = {timeline.name_context(n): values[chosen] for n, values in timelines.context.items()}
    return _inputs(timelines, row, chosen, queries, now, length) | context


def of_questions(asked: Questions, queries: np.ndarray, length: int) -> Batch:
    """Of those asked [q]; at a question's moment the context is unknown, which 0 stands for."""
    split, row = asked.timelines, asked.row
    stop = split.row_splits[row] + split.target_from[row]
    now = np.full(len(asked), asked.now, np.int64)
    context = {
        timeline.name_context(name): np.zeros((len(asked), *values.shape[1:]), values.dtype)
        for name, values in split.context.items()
    }
    return _inputs(split, row, stop, queries, now, length) | context


def _inputs(
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
        signatures.HISTORY_INDEX: _before(timelines, row, stop, length),
        signatures.NOW: now,
    }


def _before(timelines: Timelines, row: np.ndarray, stop: np.ndarray, length: int) -> np.ndarray:
    """[m, length] the items just before event `stop` [m] of timeline `row`, 0 where a history is
    shorter.
    """
    where = stop[:, np.newaxis] - length + np.arange(length)
    inside = where >= timelines.row_splits[row][:, np.newaxis]
    return np.where(inside, timelines.item_index[np.where(inside, where, 0)], 0).astype(np.int32)
