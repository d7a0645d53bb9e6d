"""Recommendations from a finished run: through a server that runs, or one of its own."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from components.ingest import preflight
from pipeline.run_root import read_summary
from schema.user_ids import UserIdKey, compute_pseudonym

if TYPE_CHECKING:
    from serving.client.connection import Security


@dataclasses.dataclass(frozen=True)
class ServerAddress:
    """One gRPC server."""

    address: str
    """host:port."""
    security: "Security"


def recommend(
    root: str, user_id: str, k: int, server: ServerAddress | None, categories: Sequence[str] = ()
) -> dict[str, Any]:
    """As `pipeline.report.recommendations.recommend`, from the run at a path or a URL;
    `server` None starts one for the moment.
    """
    from pipeline.report import recommendations

    summary = json.loads(read_summary(root))
    named = _pseudonymise(summary["config"]["data"]["hash_user_ids"], user_id)
    preflight.open_file_systems()
    with _open_server(f"{root}/serving", server) as (address, security):
        answers = recommendations.recommend_users(
            address, summary["artifacts"], [named], k, categories, security
        )
    return answers[0] | {"user_id": user_id}


def _pseudonymise(place: dict[str, str] | None, user_id: str) -> str:
    """The user's pseudonym, where the run hashed user ids."""
    return compute_pseudonym(user_id, UserIdKey.model_validate(place) if place else None)


@contextlib.contextmanager
def _open_server(
    serving: str, asked: ServerAddress | None
) -> Iterator[tuple[str, "Security | None"]]:
    if asked is not None:
        yield asked.address, asked.security
        return
    from serving.server.app import running_server
    from serving.versions import mirror

    with mirror.folder_of(serving) as folder, running_server(folder) as server:
        yield server.grpc_address, None
