"""One user's recommendations, in words: history, titles, scores."""

import dataclasses
import time
from typing import Any

import numpy as np

from components.ingest import histories
from schema import candidates, signatures, timeline
from serving.client import Client
from serving.listing_request import listing_request

_SHOWN_HISTORY = 5


@dataclasses.dataclass(frozen=True)
class Titles:
    """Titles by item id."""

    by_id: dict[str, str]

    def of(self, item_id: str) -> str:
        """The id itself for an item that the catalogue does not know."""
        return self.by_id.get(item_id, item_id)


def titles(candidates_uri: str) -> Titles:
    """Reads the candidates artifact."""
    table = candidates.load_items(candidates_uri)
    ids, names = (column.to_pylist() for column in (table["item_id"], table["title"]))
    return Titles({i.decode(): n.decode() for i, n in zip(ids, names, strict=True)})


def recommend(
    client: Client, histories_uri: str, names: Titles, user_id: str, k: int
) -> dict[str, Any]:
    """Asks `recommender` with the user's whole history; a user without one is asked about as new.

    Returns user_id, known_user, history (latest last) and recommendations (best first).
    """
    known = histories.lookup(histories_uri, user_id)
    events = list(zip(known.item_ids, known.timestamps, strict=True)) if known else []
    features = {timeline.user(name): value for name, value in known.user.items()} if known else {}
    declared = client.inputs(signatures.RECOMMENDER)
    request = listing_request(declared, user_id, events, int(time.time()), k, features=features)
    answer = client.predict(signatures.RECOMMENDER, request)
    chosen = [
        (item.decode(), float(score))
        for item, score in zip(
            answer[signatures.ITEM_IDS][0], answer[signatures.SCORES][0], strict=True
        )
        if item
    ]
    return {
        "user_id": user_id,
        "known_user": bool(np.asarray(answer[signatures.KNOWN_USER])[0]) or bool(events),
        "history": [
            {"item_id": item, "title": names.of(item), "timestamp": int(moment)}
            for item, moment in events[-_SHOWN_HISTORY:]
        ],
        "recommendations": [
            {"rank": rank, "item_id": item, "title": names.of(item), "score": score}
            for rank, (item, score) in enumerate(chosen, 1)
        ],
    }
