"""Recommendations for single users, with titles: `tandem recommend`, and the report's examples."""

import dataclasses
import itertools
import time
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.output import histories
from schema import candidates, signatures, timeline
from schema.run_summary import HistoryEvent, RecommendedItem, UserRecommendations
from serving.client.client import Client
from serving.client.connection import PLAIN, Security
from serving.client.messages import ListingQuery, build_listing_request

_HISTORY_LENGTH = 5
_EXAMPLE_USERS = 10
_EXAMPLE_ITEMS = 5
_MIN_EVENTS = 3
_SAMPLED_USERS = 2000


@dataclasses.dataclass(frozen=True)
class ListOptions:
    """What a list holds."""

    k: int
    """Number of items."""
    categories: Sequence[str] = ()
    """Categories to recommend from; all when empty."""
    diversity: float | None = None
    """Diversity, 0 to 1; None for the model's default."""


@dataclasses.dataclass(frozen=True)
class Titles:
    """Titles of a catalogue, looked up for the few items that are shown."""

    item_ids: pa.ChunkedArray
    """[n] large_binary."""
    names: pa.ChunkedArray
    """[n] large_binary."""

    def look_up(self, item_ids: Sequence[str]) -> list[str]:
        """The title of each item; its id where the catalogue does not have it."""
        wanted = pa.array(item_ids, pa.large_string()).cast(pa.large_binary())
        is_wanted = pc.is_in(self.item_ids, value_set=wanted)
        ids, names = (
            column.filter(is_wanted).to_pylist() for column in (self.item_ids, self.names)
        )
        titles = {item.decode(): name.decode() for item, name in zip(ids, names, strict=True)}
        return [titles.get(item, item) for item in item_ids]


def load_titles(candidates_uri: str) -> Titles:
    """Reads the candidates artifact."""
    table = candidates.load_items(candidates_uri)
    return Titles(table["item_id"], table["title"])


def recommend_user(
    client: Client,
    histories_uri: str,
    titles: Titles,
    user_id: str,
    options: ListOptions,
) -> UserRecommendations:
    """Queries `recommender` with the user's whole history; a user without one is a new user.

    Args:
        client: Client of the server.
        histories_uri: Folder or URL of the histories.
        titles: Titles of the catalogue.
        user_id: The user, under the name that the run stores.
        options: The list to return.
    """
    history = histories.look_up(histories_uri, user_id)
    events = list(zip(history.item_ids, history.timestamps, strict=True)) if history else []
    features = (
        {timeline.name_user_feature(name): value for name, value in history.user.items()}
        if history
        else {}
    )
    declared = client.inputs(signatures.RECOMMENDER)
    request = build_listing_request(
        declared,
        ListingQuery(
            user_id,
            events,
            int(time.time()),
            options.k,
            features=features,
            allowed=options.categories,
            diversity=options.diversity,
        ),
    )
    answer = client.predict(signatures.RECOMMENDER, request)
    columns = (signatures.ITEM_IDS, signatures.SCORES, signatures.STAGES)
    recommended = [
        (item.decode(), float(score), stage.decode())
        for item, score, stage in zip(*(answer[name][0] for name in columns), strict=True)
        if item
    ]
    return UserRecommendations(
        user_id=user_id,
        known_user=bool(np.asarray(answer[signatures.KNOWN_USER])[0]) or bool(events),
        history=_build_history(events[-_HISTORY_LENGTH:], titles),
        recommendations=_build_items(recommended, titles),
    )


def _build_history(events: list[tuple[str, int]], titles: Titles) -> list[HistoryEvent]:
    names = titles.look_up([item for item, _ in events])
    return [
        HistoryEvent(item_id=item, title=name, timestamp=int(timestamp))
        for (item, timestamp), name in zip(events, names, strict=True)
    ]


def _build_items(
    recommended: list[tuple[str, float, str]], titles: Titles
) -> list[RecommendedItem]:
    names = titles.look_up([item for item, _, _ in recommended])
    return [
        RecommendedItem(rank=rank, item_id=item, title=name, score=score, stage=stage)
        for rank, ((item, score, stage), name) in enumerate(zip(recommended, names, strict=True), 1)
    ]


def recommend_users(
    address: str,
    artifacts: dict[str, str],
    users: list[str],
    options: ListOptions,
    security: Security | None = None,
) -> list[UserRecommendations]:
    """Recommends to each user through the server at `address`.

    Args:
        address: host:port of a gRPC server.
        artifacts: Folders or URLs of the run's artifacts; `histories` and `candidates` are read.
        users: Users under the names that the run stores.
        options: The lists to return.
        security: How the connection is protected; not at all by default.
    """
    titles = load_titles(artifacts["candidates"])
    with Client(address, 60, security or PLAIN) as client:
        return [
            recommend_user(client, artifacts["histories"], titles, user, options) for user in users
        ]


def recommend_example_users(artifacts: dict[str, str], seed: int) -> list[UserRecommendations]:
    """Recommends five items to ten random users with some history, with the run's models, pushed or
    not.
    """
    from components.artifacts.local_copies import locate_folder  # `tandem recommend` needs no TFX
    from serving import infra_check
    from serving.server.app import run_server

    users = _choose_users(artifacts["histories"], seed)
    with (
        infra_check.stage_servables(locate_folder(artifacts["servables"])) as folder,
        run_server(folder) as server,
    ):
        return recommend_users(server.grpc_address, artifacts, users, ListOptions(_EXAMPLE_ITEMS))


def _choose_users(uri: str, seed: int) -> list[str]:
    users: list[str] = []
    for batch in itertools.islice(histories.iterate(uri, _SAMPLED_USERS), 1):
        users = [user.user_id for user in batch if len(user.item_ids) >= _MIN_EVENTS]
    chosen = np.random.default_rng(seed).permutation(len(users))[:_EXAMPLE_USERS]
    return [users[i] for i in sorted(chosen)]
