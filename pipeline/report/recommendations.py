"""One user's recommendations, in words: history, titles, scores.

A few users of the run and what they are recommended, for the report.
"""

import dataclasses
import itertools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.output import histories
from schema import candidates, signatures, timeline
from serving.client.client import Client
from serving.client.connection import PLAIN, Security
from serving.client.messages import build_listing_request

_HISTORY_LENGTH = 5
_EXAMPLE_USERS = 10
_EXAMPLE_ITEMS = 5
_MIN_EVENTS = 3
_SAMPLED_USERS = 2000


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


def load_titles(candidates_uri: str) -> Titles:
    """Reads the candidates artifact."""
    table = candidates.load_items(candidates_uri)
    return Titles(table["item_id"], table["title"])


def recommend_user(
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
    request = build_listing_request(
        declared, user_id, events, int(time.time()), k, features=features, allowed=categories
    )
    answer = client.predict(signatures.RECOMMENDER, request)
    columns = (signatures.ITEM_IDS, signatures.SCORES, signatures.STAGES)
    chosen = [
        (item.decode(), float(score), stage.decode())
        for item, score, stage in zip(*(answer[name][0] for name in columns), strict=True)
        if item
    ]
    shown = events[-_HISTORY_LENGTH:]
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


def recommend_users(
    address: str,
    artifacts: dict[str, str],
    users: list[str],
    k: int,
    categories: Sequence[str] = (),
    security: Security | None = None,
) -> list[dict[str, Any]]:
    """One answer per user, named as the run stored them, of the server at `address`.

    `artifacts` are URIs of `histories` and `candidates`.
    """
    from serving.client.client import Client

    names = load_titles(artifacts["candidates"])
    with Client(address, 60, security or PLAIN) as client:
        return [
            recommend_user(client, artifacts["histories"], names, user, k, categories)
            for user in users
        ]


def recommend_example_users(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Ten users with some history, chosen by the run's seed, and five items for each, as the run's
    models answer, pushed or not.
    """
    from components.artifacts.local_copies import locate_folder
    from serving import infra_check
    from serving.server.app import run_server

    artifacts = summary["artifacts"]
    users = _choose_users(artifacts["histories"], summary["seed"])
    with (
        infra_check.stage_servables(locate_folder(artifacts["servables"])) as served,
        run_server(served) as server,
    ):
        return recommend_users(server.grpc_address, artifacts, users, _EXAMPLE_ITEMS)


def _choose_users(uri: str, seed: int) -> list[str]:
    found: list[str] = []
    for users in itertools.islice(histories.iterate(uri, _SAMPLED_USERS), 1):
        found = [user.user_id for user in users if len(user.item_ids) >= _MIN_EVENTS]
    chosen = np.random.default_rng(seed).permutation(len(found))[:_EXAMPLE_USERS]
    return [found[i] for i in sorted(chosen)]
