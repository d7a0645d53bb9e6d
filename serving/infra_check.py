"""Queries newly exported servables over gRPC in a separate process: `python -m serving.infra_check
DIR CANDIDATES RECOMMEND`.

DIR holds one SavedModel per servable name, CANDIDATES the catalogue's item ids as
`schema.candidates` stores them, RECOMMEND is JSON of `schema.recommend.Recommend`;
TF_USE_LEGACY_KERAS=1 must be set. Prints one JSON object; the exit code is that of a TandemError,
or 0.
"""

import contextlib
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np

from schema import candidates, signatures
from schema.candidates import Candidates
from schema.errors import TandemError
from schema.recommend import Recommend, Repeats
from schema.signatures import SERVABLES
from serving.client.client import Client
from serving.client.messages import ListingQuery, build_listing_request
from serving.server.app import run_server

_K = 10
_MAX_HISTORY = 10_000
_LISTINGS = (signatures.RETRIEVAL, signatures.RECOMMENDER)


def check(
    folder: pathlib.Path, items: Candidates, repeats: Repeats = "exclude"
) -> dict[str, object]:
    """Serves the models on free loopback ports and queries each of them.

    A new user without history must get distinct items of the catalogue with finite scores, and
    other items if these are excluded; a user with them as history must get what `repeats` allows;
    ranking must score the items that retrieval returned. With `repeats` "only", the new user has a
    history of available items, since the list would be empty without one.

    Args:
        folder: One SavedModel per servable name.
        items: The catalogue.
        repeats: Whether lists hold items of the history.

    Returns:
        `load_seconds`, and `listed`: item ids by servable.

    Raises:
        TandemError: A condition does not hold; the message names it.
        RequestError: A model does not load or respond.
    """
    catalogue = frozenset(item.decode() for item in items.item_ids.to_pylist())
    history = _sample_available(items) if repeats == "only" else []
    with stage_servables(folder) as served:
        begin = time.perf_counter()
        with (
            run_server(served) as server,
            Client(server.grpc_address, 60) as client,
        ):
            loaded = time.perf_counter() - begin
            report = {name: _check_listing(client, name, catalogue, history) for name in _LISTINGS}
            for name, listed in report.items():
                _check_repeats(client, name, listed, repeats)
            _check_ranking(client, report[signatures.RETRIEVAL])
        return {"load_seconds": loaded, "listed": report}


def _sample_available(items: Candidates) -> list[str]:
    """Up to `_MAX_HISTORY` ids, spread over the catalogue's available items."""
    ids = items.item_ids if items.available is None else items.item_ids.filter(items.available)
    step = -(-len(ids) // _MAX_HISTORY)
    return [item.decode() for item in ids.to_pylist()[::step]]


def _check_listing(
    client: Client, name: str, catalogue: frozenset[str], history: list[str]
) -> list[str]:
    first = _list_items(client, name, history, [])
    second = _list_items(client, name, history, first)
    if len(set(first)) != len(first) or not first:
        raise TandemError(f"{name}: expected distinct items, received {first}; nothing is pushed")
    unknown = sorted(set(first) - catalogue)
    if unknown:
        raise TandemError(
            f"{name}: expected items of the catalogue, received {', '.join(unknown)}; nothing is "
            "pushed"
        )
    if set(first) & set(second):
        raise TandemError(
            f"{name}: expected none of the excluded {first}, received {second}; nothing is pushed"
        )
    return first


def _check_repeats(client: Client, name: str, history: list[str], repeats: Repeats) -> None:
    found = _list_items(client, name, history, [])
    if repeats == "exclude" and set(found) & set(history):
        raise TandemError(
            f"{name}: expected none of the history {history}, received {found}; nothing is pushed"
        )
    if repeats == "only" and set(found) != set(history):
        raise TandemError(
            f"{name}: expected the items of the history {history}, received {found}; nothing is "
            "pushed"
        )


def _list_items(client: Client, name: str, history: list[str], excluded: list[str]) -> list[str]:
    now = int(time.time())
    events = [(item, now) for item in history]
    request = build_listing_request(
        client.inputs(name), ListingQuery("", events, now, _K, excluded)
    )
    answer = client.predict(name, request)
    ids = [item.decode() for item in answer[signatures.ITEM_IDS][0] if item]
    scores = answer[signatures.SCORES][0][: len(ids)]
    if not np.isfinite(scores).all():
        raise TandemError(f"{name}: expected finite scores, received {scores}; nothing is pushed")
    return ids


def _check_ranking(client: Client, items: list[str]) -> None:
    name = signatures.RANKING
    declared = client.inputs(name)
    request = build_listing_request(declared, ListingQuery("", [], int(time.time()), _K))
    request[signatures.CANDIDATE_ITEM_IDS] = np.array([[i.encode() for i in items]], object)
    answer = client.predict(name, request)
    relevance = answer[signatures.RELEVANCE]
    if relevance.shape != (1, len(items)) or not np.isfinite(relevance).all():
        raise TandemError(
            f"{name}: expected {len(items)} finite scores, received {relevance}; nothing is pushed"
        )


@contextlib.contextmanager
def stage_servables(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A temporary serving directory with version 1 of every model, a link to `folder`/<name>; it is
    removed when the block ends.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-unpushed-") as served:
        for name in SERVABLES:
            target = pathlib.Path(served, name, "1")
            target.parent.mkdir()
            target.symlink_to((folder / name).resolve(), target_is_directory=True)
        yield pathlib.Path(served)


def main(arguments: list[str]) -> int:
    """Exit code of the check with DIR, CANDIDATES and RECOMMEND; prints its report."""
    try:
        folder, stored, recommend = arguments
        repeats = Recommend.model_validate_json(recommend).repeats
        json.dump(check(pathlib.Path(folder), candidates.load(stored), repeats), sys.stdout)
    except TandemError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
