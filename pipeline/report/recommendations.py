"""One user's recommendations, in words: history, titles, scores."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.output import histories
from schema import candidates, signatures, timeline
from serving.client.client import Client
from serving.listing_request import listing_request

_SHOWN_HISTORY = 5


@dataclasses.dataclass(frozen=True)
class Titles:
    """Titles of a catalogue, looked up for the few items that are shown."""

    item_ids: pa.ChunkedArray
    """[n] large_binary."""
    names: pa.ChunkedArray
    """[n] large_binary."""

    def of(self, item_ids: Sequence[str]) -> list[str]:
        """A title an item; the id itself where the catalogue does not know it."""
        wanted = pa.array(item_ids, pa.large_string()).cast(pa.large_binary())
        found = pc.is_in(self.item_ids, value_set=wanted)
        ids, names = (column.filter(found).to_pylist() for column in (self.item_ids, self.names))
        known = {item.decode(): name.decode() for item, name in zip(ids, names, strict=True)}
        return [known.get(item, item) for item in item_ids]


def titles(candidates_uri: str) -> Titles:
    """Reads the candidates artifact."""
    table = candidates.load_items(candidates_uri)
    return Titles(table["item_id"], table["title"])


def recommend(
    client: Client,
    histories_uri: str,
    names: Titles,
    user_id: str,
    k: int,
    categories: Sequence[str] = (),
) -> dict[str, Any]:
    """Asks `recommender` with the user's whole history; a user without one is asked about as new.
    Items of the `categories` alone are asked for, of all where there is none.

    Returns user_id, known_user, history (latest last) and recommendations (best first).
    """
    known = histories.look_up(histories_uri, user_id)
    events = list(zip(known.item_ids, known.timestamps, strict=True)) if known else []
    features = (
        {timeline.name_user_feature(name): value for name, value in known.user.items()}
        if known
        else {}
    )
    declared = client.inputs(signatures.RECOMMENDER)
    request = listing_request(
        declared, user_id, events, int(time.time()), k, features=features, allowed=categories
    )
    answer = client.predict(signatures.RECOMMENDER, request)
    columns = (signatures.ITEM_IDS, signatures.SCORES, signatures.STAGES)
    chosen = [
        (item.decode(), float(score), stage.decode())
        for item, score, stage in zip(*(answer[name][0] for name in columns), strict=True)
        if item
    ]
    shown = events[-_SHOWN_HISTORY:]
    before = names.of([item for item, _ in shown])
    titled = names.of([item for item, _, _ in chosen])
    return {
        "user_id": user_id,
        "known_user": bool(np.asarray(answer[signatures.KNOWN_USER])[0]) or bool(events),
        "history": [
            {"item_id": item, "title": title, "timestamp": int(moment)}
            for (item, moment), title in zip(shown, before, strict=True)
        ],
        "recommendations": [
            {"rank": rank, "item_id": item, "title": title, "score": score, "stage": stage}
            for rank, ((item, score, stage), title) in enumerate(
                zip(chosen, titled, strict=True), 1
            )
        ],
    }
