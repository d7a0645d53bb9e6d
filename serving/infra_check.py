"""Asks freshly exported servables over gRPC, in a process of its own: `python -m
serving.infra_check DIR`.

DIR holds one SavedModel per servable name; TF_USE_LEGACY_KERAS=1 is to be set. Prints one JSON
object; a TandemError ends it with exit code 1.
"""

import json
import pathlib
import sys
import time

import numpy as np

from schema import signatures
from schema.errors import TandemError
from serving import unpushed
from serving.client import Client
from serving.listing_request import listing_request
from serving.server import running_server

_K = 10
_LISTINGS = (signatures.RETRIEVAL, signatures.RECOMMENDER)


def check(folder: pathlib.Path) -> dict[str, object]:
    """Serves the models on free loopback ports and asks each of them.

    A new user without history must get k different items with finite scores; excluding them must
    give others; ranking must score what retrieval returned. Raises TandemError saying which of it
    did not hold.
    """
    with unpushed.serving_dir(folder) as served:
        begin = time.perf_counter()
        with (
            running_server(served) as server,
            Client(server.grpc_address, 60) as client,
        ):
            loaded = time.perf_counter() - begin
            report = {name: _check_listing(client, name) for name in _LISTINGS}
            _check_ranking(client, report[signatures.RETRIEVAL])
        return {"load_seconds": loaded, "asked": report}


def _check_listing(client: Client, name: str) -> list[str]:
    first = _ask(client, name, [])
    second = _ask(client, name, first)
    if len(set(first)) != len(first) or not first:
        raise TandemError(f"{name}: expected different items, received {first}; nothing is pushed")
    if set(first) & set(second):
        raise TandemError(f"{name}: expected none of the excluded {first}, received {second}")
    return first


def _ask(client: Client, name: str, excluded: list[str]) -> list[str]:
    request = listing_request(client.inputs(name), "", [], int(time.time()), _K, excluded)
    answer = client.predict(name, request)
    ids = [item.decode() for item in answer[signatures.ITEM_IDS][0] if item]
    scores = answer[signatures.SCORES][0][: len(ids)]
    if not np.isfinite(scores).all():
        raise TandemError(f"{name}: expected finite scores, received {scores}; nothing is pushed")
    return ids


def _check_ranking(client: Client, items: list[str]) -> None:
    name = signatures.RANKING
    declared = client.inputs(name)
    request = listing_request(declared, "", [], int(time.time()), _K)
    request[signatures.CANDIDATE_ITEM_IDS] = np.array([[i.encode() for i in items]], object)
    answer = client.predict(name, request)
    relevance = answer[signatures.RELEVANCE]
    if relevance.shape != (1, len(items)) or not np.isfinite(relevance).all():
        raise TandemError(
            f"{name}: expected {len(items)} finite scores, received {relevance}; nothing is pushed"
        )


def main() -> int:
    """Runs the check on the folder named by the first argument."""
    try:
        json.dump(check(pathlib.Path(sys.argv[1])), sys.stdout)
    except TandemError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
