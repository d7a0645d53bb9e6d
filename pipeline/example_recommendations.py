"""A few users of the run and what they are recommended, for the report."""

import itertools
from typing import Any

import numpy as np

from components.ingest.output import histories
from pipeline.commands import recommend

_USERS = 10
_K = 5
_AT_LEAST = 3
_LOOKED_AT = 2000


def of(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Ten users with some history, chosen by the run's seed, and five items for each, as the run's
    models answer, pushed or not.
    """
    from components.artifacts.local_copies import locate_folder
    from serving import unpushed
    from serving.server.app import running_server

    artifacts = summary["artifacts"]
    users = _some_users(artifacts["histories"], summary["seed"])
    with (
        unpushed.serving_dir(locate_folder(artifacts["servables"])) as served,
        running_server(served) as server,
    ):
        return recommend.several(server.grpc_address, artifacts, users, _K)


def _some_users(uri: str, seed: int) -> list[str]:
    found: list[str] = []
    for users in itertools.islice(histories.iterate(uri, _LOOKED_AT), 1):
        found = [user.user_id for user in users if len(user.item_ids) >= _AT_LEAST]
    chosen = np.random.default_rng(seed).permutation(len(found))[:_USERS]
    return [found[i] for i in sorted(chosen)]
