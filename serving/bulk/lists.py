"""Ranked lists for many users at once: the very graphs that are served, over exact search."""

from typing import Any

import tensorflow as tf

from schema import signatures
from schema.candidates import Candidates
from serving import equal_histories
from serving.bulk.users import Askers
from serving.graph import export
from serving.graph.item_table import ItemTable
from serving.graph.modules import RecommenderServable, RetrievalServable, query_inputs
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex

_ROWS = 128
_SCORES = 2**23
"""Scores of all items for all users of one call, at the most: 32 MiB."""


class BulkLists:
    """Users who bring as many events of history are asked about in one call, so nothing is padded
    and an answer does not depend on who else is asked about.
    """

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
            else RecommenderServable(query, items, index, ranking, depth, rank_order=True)
        )
        self._specs = export.listing_inputs(query)
        traced = tf.function(self._stage.serve, input_signature=[self._specs], autograph=False)
        self._serve = traced.get_concrete_function()  # now, and not while the first users wait
        self._declared = query_inputs(query)
        self._length = history_length
        self._size = len(candidates.item_ids)

    def lists(self, askers: Askers, now: int, k: int) -> list[list[str]]:
        """The k best unseen items of each user at `now` (seconds since epoch, UTC), best first.

        Fewer where fewer are unseen. The event's context is unknown, and asked about as missing.
        """
        found: list[list[str]] = [[] for _ in range(len(askers))]
        most = max(1, min(_ROWS, _SCORES // (self._size + 1)))
        for rows, length in equal_histories.calls(askers.lengths, self._length, most):
            request = askers.requests(rows, length, now, self._declared)
            inputs = {n: tf.constant(v, self._specs[n].dtype) for n, v in request.items()}
            inputs[signatures.K] = tf.constant([min(k, self._size)], tf.int32)
            answered = self._serve(inputs)[signatures.ITEM_IDS].numpy()
            for row, ids in zip(rows, answered, strict=True):
                found[row] = [item.decode() for item in ids if item]
        return found
