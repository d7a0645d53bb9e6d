"""Ranked lists for many users at once: by the graphs that are served, over exact search, or by a
running server.

Users with equally long histories go into one call, so no row is padded and a list does not depend
on the other users of the call.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures
from schema.candidates import Candidates
from serving.bulk.users import UserBatch
from serving.client.client import Client
from serving.graph.export import get_listing_inputs
from serving.graph.item_table import ItemTable
from serving.graph.modules import (
    RecommenderModels,
    RecommenderServable,
    RetrievalServable,
    get_query_inputs,
)
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex

_MAX_ROWS = 128
_MAX_SCORES = 2**23
"""Scores of all items for all users of one call, at the most: 32 MiB."""
_MAX_ROWS_PER_CALL = 128
_MAX_EVENTS = 2**20
"""Events of all users of one call, padding of the longest histories included, at the most."""


class BulkRecommender:
    """Runs the served graphs in this process."""

    def __init__(
        self,
        query: Any,
        candidates: Candidates,
        history_length: int,
        ranking: Any = None,
        depth: int = 0,
        eligible: Eligibility | None = None,
    ):
        """`query` and `ranking` are loaded SavedModels. `history_length`: how many of the latest
        events the query model reads.

        With `ranking` the `depth` best of retrieval are put in ranking's order; without it they
        stay in retrieval's. Without `eligible` any item may stand in a list, whatever the
        candidates say.
        """
        items, index = ItemTable(candidates), ExactIndex(candidates.vectors, eligible)
        self._stage = (
            RetrievalServable(query, items, index)
            if ranking is None
            else RecommenderServable(RecommenderModels(query, index, ranking, depth), items)
        )
        self._specs = get_listing_inputs(query)
        traced = tf.function(self._stage.serve, input_signature=[self._specs], autograph=False)
        self._serve = traced.get_concrete_function()  # now, and not while the first users wait
        self._declared = get_query_inputs(query)
        self._length = history_length
        self._size = len(candidates.item_ids)

    def lists(self, users: UserBatch, now: int, k: int) -> list[list[str]]:
        """The k best unseen items of each user at `now` (seconds since epoch, UTC), best first.

        Fewer where fewer are unseen. The context features of the request are missing.
        """
        found: list[list[str]] = [[] for _ in range(len(users))]
        most = max(1, min(_MAX_ROWS, _MAX_SCORES // (self._size + 1)))
        for rows, length in group_equal_histories(users.lengths, self._length, most):
            request = users.requests(rows, length, now, self._declared)
            inputs = {n: tf.constant(v, self._specs[n].dtype) for n, v in request.items()}
            inputs[signatures.K] = tf.constant([min(k, self._size)], tf.int32)
            answered = self._serve(inputs)[signatures.ITEM_IDS].numpy()
            for row, ids in zip(rows, answered, strict=True):
                found[row] = [item.decode() for item in ids if item]
        return found


class ServerRecommender:
    """Sends the requests of `BulkRecommender` to a server; what its index does not find is missing
    from the lists.
    """

    def __init__(self, client: Client, model: str, history_length: int) -> None:
        """`model` is `recommender` or `retrieval`; `history_length`: how many of the latest events
        its query model reads. All earlier ones are sent as excluded items.
        """
        self._client = client
        self._model = model
        self._length = history_length
        self._features = {
            name: tf.TensorSpec([None if size < 0 else size for size in shape], dtype)
            for name, (dtype, shape) in client.inputs(model).items()
            if name not in (signatures.K, signatures.ALLOWED_CATEGORIES)
        }

    def lists(self, users: UserBatch, now: int, k: int) -> list[list[str]]:
        """The k best unseen items of each user at `now` (seconds since epoch, UTC), best first.

        Fewer where fewer are unseen. The context features of the request are missing.
        """
        found: list[list[str]] = [[] for _ in range(len(users))]
        for rows, length in group_equal_histories(users.lengths, self._length, _MAX_ROWS_PER_CALL):
            request = users.requests(rows, length, now, self._features)
            request[signatures.K] = np.array([k], np.int32)
            answered = self._client.predict(self._model, request)[signatures.ITEM_IDS]
            for row, ids in zip(rows, answered, strict=True):
                found[row] = [item.decode() for item in ids if item]
        return found


def group_equal_histories(
    lengths: np.ndarray, read: int, most: int
) -> Iterator[tuple[np.ndarray, int]]:
    """Positions of users with `lengths` [u] events each, at most `most` at a time, and how many of
    their latest events, at most `read`, all of them bring as history.
    """
    brought = np.minimum(lengths, read)
    order = np.lexsort((lengths, brought))
    for alike in np.split(order, np.flatnonzero(np.diff(brought[order])) + 1):
        for rows in _split_group(alike, lengths, most):
            yield rows, int(brought[rows[0]])


def _split_group(alike: np.ndarray, lengths: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Users in order of their lengths -> at most `most` at a time, and no more than go with
    `_EVENTS` places when all take as many as the longest.
    """
    while len(alike):
        rows = alike[:most]
        while len(rows) > 1 and len(rows) * lengths[rows[-1]] > _MAX_EVENTS:
            rows = rows[: len(rows) // 2]
        yield rows
        alike = alike[len(rows) :]
