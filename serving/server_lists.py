"""Ranked lists for many users at once, from a server that runs."""

import numpy as np
import tensorflow as tf

from schema import signatures
from serving import equal_histories
from serving.bulk.users import Askers
from serving.client.client import Client

_ROWS = 128


class ServerLists:
    """Asks as `serving.bulk.lists.BulkLists` does; what the server's index does not find is not in
    a list.
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

    def lists(self, askers: Askers, now: int, k: int) -> list[list[str]]:
        """The k best unseen items of each user at `now` (seconds since epoch, UTC), best first.

        Fewer where fewer are unseen. The event's context is unknown, and asked about as missing.
        """
        found: list[list[str]] = [[] for _ in range(len(askers))]
        for rows, length in equal_histories.calls(askers.lengths, self._length, _ROWS):
            request = askers.requests(rows, length, now, self._features)
            request[signatures.K] = np.array([k], np.int32)
            answered = self._client.predict(self._model, request)[signatures.ITEM_IDS]
            for row, ids in zip(rows, answered, strict=True):
                found[row] = [item.decode() for item in ids if item]
        return found
