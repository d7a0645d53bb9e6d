"""Recommendations from a finished run: through a server that runs, or one of its own."""

import contextlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from pipeline import run_directory
from pipeline.run_directory import RunDirectory


def recommend(root: pathlib.Path, user_id: str, k: int, address: str | None) -> dict[str, Any]:
    """As `pipeline.recommendation.recommend`; `address` None starts a server for the moment."""
    at = run_directory.finished(root)
    artifacts = json.loads(at.summary.read_text(encoding="utf-8"))["artifacts"]
    (answer,) = several(at, artifacts, [user_id], k, address)
    return answer


def several(
    at: RunDirectory, artifacts: dict[str, str], users: list[str], k: int, address: str | None
) -> list[dict[str, Any]]:
    """One answer per user. `artifacts` are URIs of `histories` and `candidates`."""
    from pipeline import recommendation
    from serving.client import Client

    names = recommendation.titles(artifacts["candidates"])
    with _served(at, address) as grpc_address, Client(grpc_address, 60) as client:
        return [
            recommendation.recommend(client, artifacts["histories"], names, user, k)
            for user in users
        ]


@contextlib.contextmanager
def _served(at: RunDirectory, address: str | None) -> Iterator[str]:
    from serving.server import running_server

    if address is not None:
        yield address
        return
    with running_server(at.serving) as server:
        yield server.grpc_address
