"""Recommendations from a finished run: through a server that runs, or one of its own."""

import contextlib
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline import run_directory
from schema import pseudonyms
from schema.pseudonyms import UserIdKey


def recommend(
    root: pathlib.Path, user_id: str, k: int, address: str | None, categories: Sequence[str] = ()
) -> dict[str, Any]:
    """As `pipeline.recommendation.recommend`; `address` None starts a server for the moment."""
    at = run_directory.finished(root)
    summary = json.loads(at.summary.read_text(encoding="utf-8"))
    named = _as_stored(summary["config"]["data"]["hash_user_ids"], user_id)
    with _served(at.serving, address) as grpc_address:
        (answer,) = several(grpc_address, summary["artifacts"], [named], k, categories)
    return answer | {"user_id": user_id}


def several(
    address: str,
    artifacts: dict[str, str],
    users: list[str],
    k: int,
    categories: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """One answer per user, named as the run stored them, of the server at `address`.

    `artifacts` are URIs of `histories` and `candidates`.
    """
    from pipeline import recommendation
    from serving.client import Client

    names = recommendation.titles(artifacts["candidates"])
    with Client(address, 60) as client:
        return [
            recommendation.recommend(client, artifacts["histories"], names, user, k, categories)
            for user in users
        ]


def _as_stored(place: dict[str, str] | None, user_id: str) -> str:
    """The user's pseudonym, where the run hashed user ids."""
    return pseudonyms.pseudonym(user_id, UserIdKey.model_validate(place) if place else None)


@contextlib.contextmanager
def _served(serving: pathlib.Path, address: str | None) -> Iterator[str]:
    from serving.server import running_server

    if address is not None:
        yield address
        return
    with running_server(serving) as server:
        yield server.grpc_address
