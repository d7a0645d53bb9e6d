"""`tandem recommend`: recommendations of a finished run, from a given server or a temporary one."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.ingest.read.files import open_file_systems
from pipeline.run_root import load_summary
from schema.run_summary import UserRecommendations
from schema.user_ids import UserIdKey, compute_pseudonym

if TYPE_CHECKING:
    from pipeline.report.recommendations import ListOptions
    from serving.client.connection import Security


@dataclasses.dataclass(frozen=True)
class ServerAddress:
    """One gRPC server."""

    address: str
    """host:port."""
    security: "Security"


def recommend(
    root: str, user_id: str, server: ServerAddress | None, options: "ListOptions"
) -> UserRecommendations:
    """Recommends items of a finished run to one user.

    Args:
        root: Path or URL of the run.
        user_id: The user, under the name that the source has.
        server: Server to query; None starts one for this request.
        options: The list to return.
    """
    from pipeline.report import recommendations

    summary = load_summary(root)
    stored_id = _pseudonymise(summary.config["data"]["hash_user_ids"], user_id)
    open_file_systems()
    with _open_server(f"{root}/serving", server) as (address, security):
        answers = recommendations.recommend_users(
            address, summary.artifacts, [stored_id], options, security
        )
    return answers[0].model_copy(update={"user_id": user_id})


def _pseudonymise(key_source: dict[str, str] | None, user_id: str) -> str:
    """The user's pseudonym, where the run hashed user ids."""
    return compute_pseudonym(user_id, UserIdKey.model_validate(key_source) if key_source else None)


@contextlib.contextmanager
def _open_server(
    serving: str, address: ServerAddress | None
) -> Iterator[tuple[str, "Security | None"]]:
    if address is not None:
        yield address.address, address.security
        return
    from serving.server.app import run_server
    from serving.versions.store import open_version_store

    with open_version_store(serving).follow() as folder, run_server(folder) as server:
        yield server.grpc_address, None
