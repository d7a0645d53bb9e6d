"""Recommendations from a finished run: through a server that runs, or one of its own."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from components.ingest import preflight
from pipeline.asked_server import Server
from pipeline.run_root import read_summary
from schema.user_ids import UserIdKey, compute_pseudonym

if TYPE_CHECKING:
    from serving.client.connection import Security


def recommend(
    root: str, user_id: str, k: int, server: Server | None, categories: Sequence[str] = ()
) -> dict[str, Any]:
    """As `pipeline.report.recommendations.recommend`, from the run at a path or a URL;
    `server` None starts one for the moment.
    """
    summary = json.loads(read_summary(root))
    named = _as_stored(summary["config"]["data"]["hash_user_ids"], user_id)
    preflight.open_file_systems()
    with _served(f"{root}/serving", server) as (address, security):
        (answer,) = several(address, summary["artifacts"], [named], k, categories, security)
    return answer | {"user_id": user_id}


def several(
    address: str,
    artifacts: dict[str, str],
    users: list[str],
    k: int,
    categories: Sequence[str] = (),
    security: "Security | None" = None,
) -> list[dict[str, Any]]:
    """One answer per user, named as the run stored them, of the server at `address`.

    `artifacts` are URIs of `histories` and `candidates`.
    """
    from pipeline.report import recommendations
    from serving.client.client import Client
    from serving.client.connection import PLAIN

    names = recommendations.titles(artifacts["candidates"])
    with Client(address, 60, security or PLAIN) as client:
        return [
            recommendations.recommend(client, artifacts["histories"], names, user, k, categories)
            for user in users
        ]


def _as_stored(place: dict[str, str] | None, user_id: str) -> str:
    """The user's pseudonym, where the run hashed user ids."""
    return compute_pseudonym(user_id, UserIdKey.model_validate(place) if place else None)


@contextlib.contextmanager
def _served(serving: str, asked: Server | None) -> Iterator[tuple[str, "Security | None"]]:
    if asked is not None:
        yield asked.address, asked.security
        return
    from serving.server.app import running_server
    from serving.versions import mirror

    with mirror.folder_of(serving) as folder, running_server(folder) as server:
        yield server.grpc_address, None
