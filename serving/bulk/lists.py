"""Ranked lists for many users at once, computed by the served graphs with exact search or by a
running server.

Each call has users with histories of equal length, so no row is padded and a list does not depend
on the other users of the call.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from schema import signatures
from schema.candidates import Candidates
from schema.recommend import Repeats
from serving.bulk.users import UserBatch
from serving.client.client import Client
from serving.graph.export import DIVERSITY_INPUT, get_listing_inputs
from serving.graph.item_table import ItemTable
from serving.graph.list_order import ListOrder
from serving.graph.modules import (
    RecommenderModels,
    RecommenderServable,
    get_query_inputs,
)
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex

_SET_ELSEWHERE = (signatures.K, signatures.DIVERSITY, signatures.ALLOWED_CATEGORIES)
"""Inputs that are no features of users."""
_MAX_ROWS = 128
_MAX_SCORES = 2**23
"""Maximum number of scores in one call (users times items): 32 MiB."""
_MAX_ROWS_PER_CALL = 128
_MAX_EVENTS = 2**20
"""Maximum number of events in one call, including padding to the longest user."""


class BulkRecommender:
    """Runs the served graphs in this process."""

    def __init__(
        self,
        models: RecommenderModels,
        candidates: Candidates,
        history_length: int,
        eligible: Eligibility | None = None,
    ):
        """Builds and traces the graph.

        Args:
            models: Models of the recommender, without an index.
            candidates: Items with their vectors [n, dim].
            history_length: Number of latest events that the query model reads.
            eligible: Items that may be recommended; None allows all, even unavailable ones.
        """
        index = ExactIndex(candidates.vectors, eligible)
        parts = dataclasses.replace(models, index=index)
        order = ListOrder(models.ranking.item_vectors, candidates, models.calibration)
        self._stage = RecommenderServable(parts, ItemTable(candidates), order)
        self._specs = get_listing_inputs(models.query) | DIVERSITY_INPUT
        traced = tf.function(self._stage.serve, input_signature=[self._specs], autograph=False)
        self._serve = traced.get_concrete_function()  # trace now instead of in the first call
        self._declared = get_query_inputs(models.query)
        self._repeats: Repeats = models.repeats
        self._diversity = models.diversity
        self._length = history_length
        self._size = len(candidates.item_ids)

    def lists(self, users: UserBatch, now: int, k: int) -> list[list[str]]:
        """The k best items of each user, best first, of those that the models' `repeats` allows,
        with the models' `diversity` and `calibration`.

        A list is shorter if there are fewer of them. The context features of the request are
        missing.

        Args:
            users: Users with their events.
            now: Time of the requests, seconds since epoch, UTC.
            k: Maximum length of a list.

        Returns:
            Item ids of each user, in the order of `users`.
        """

        def answer(rows: np.ndarray, length: int) -> np.ndarray:
            request = users.requests(rows, length, now, self._declared, self._repeats)
            inputs = {n: tf.constant(v, self._specs[n].dtype) for n, v in request.items()}
            inputs[signatures.K] = tf.constant([min(k, self._size)], tf.int32)
            inputs[signatures.DIVERSITY] = tf.constant([self._diversity], tf.float32)
            return self._serve(inputs)[signatures.ITEM_IDS].numpy()

        most = max(1, min(_MAX_ROWS, _MAX_SCORES // (self._size + 1)))
        return _collect_lists(users, self._length, most, answer)


class ServerRecommender:
    """Sends the requests of `BulkRecommender` to a server, whose index may be approximate."""

    def __init__(
        self,
        client: Client,
        model: str,
        history_length: int,
        repeats: Repeats = "exclude",
        diversity: float | None = None,
    ) -> None:
        """Declares the inputs that the server's model has.

        Args:
            client: Client of the server.
            model: `recommender` or `retrieval`.
            history_length: Number of latest events that its query model reads.
            repeats: Whether its lists hold items of the history.
            diversity: Diversity of the lists of `recommender`; None for the model's default.
        """
        self._client = client
        self._repeats: Repeats = repeats
        self._diversity = diversity
        self._model = model
        self._length = history_length
        self._features = {
            name: tf.TensorSpec([None if size < 0 else size for size in shape], dtype)
            for name, (dtype, shape) in client.inputs(model).items()
            if name not in _SET_ELSEWHERE
        }

    def lists(self, users: UserBatch, now: int, k: int) -> list[list[str]]:
        """See `BulkRecommender.lists`."""

        def answer(rows: np.ndarray, length: int) -> np.ndarray:
            request = users.requests(rows, length, now, self._features, self._repeats)
            request[signatures.K] = np.array([k], np.int32)
            if self._diversity is not None:
                request[signatures.DIVERSITY] = np.array([self._diversity], np.float32)
            return self._client.predict(self._model, request)[signatures.ITEM_IDS]

        return _collect_lists(users, self._length, _MAX_ROWS_PER_CALL, answer)


def _collect_lists(
    users: UserBatch, read: int, most: int, answer: Callable[[np.ndarray, int], np.ndarray]
) -> list[list[str]]:
    """Item ids of each user in order; `answer` gives the padded ids [rows, k] of a group as
    `group_equal_histories` yields it.
    """
    lists: list[list[str]] = [[] for _ in range(len(users))]
    for rows, length in group_equal_histories(users.lengths, read, most):
        for row, ids in zip(rows, answer(rows, length), strict=True):
            lists[row] = [item.decode() for item in ids if item]
    return lists


def group_equal_histories(
    lengths: np.ndarray, read: int, most: int
) -> Iterator[tuple[np.ndarray, int]]:
    """Groups users with equal history lengths, at most `most` per group.

    Yields the positions of a group's users and the length of their histories. `lengths` [u] are the
    numbers of the users' events, of which the latest `read` are the history.
    """
    history_lengths = np.minimum(lengths, read)
    order = np.lexsort((lengths, history_lengths))
    for group in np.split(order, np.flatnonzero(np.diff(history_lengths[order])) + 1):
        for rows in _split_group(group, lengths, most):
            yield rows, int(history_lengths[rows[0]])


def _split_group(group: np.ndarray, lengths: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Splits users, which are sorted by length, into parts of at most `most` users and at most
    `_MAX_EVENTS` events when all are padded to the longest.
    """
    while len(group):
        rows = group[:most]
        while len(rows) > 1 and len(rows) * lengths[rows[-1]] > _MAX_EVENTS:
            rows = rows[: len(rows) // 2]
        yield rows
        group = group[len(rows) :]
