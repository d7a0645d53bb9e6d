"""Ranked lists of a finished run for many users at once.

Whom `tandem batch` makes lists for, with the history of each.
"""

import contextlib
import dataclasses
import json
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from components.ingest.events.cut import Cut, load_test_cut
from pipeline.commands.artifacts import fetch_artifacts
from pipeline.commands.recommend import ServerAddress
from pipeline.run_root import read_summary
from schema import id_file
from schema.dataset import Dataset
from schema.errors import NotBlessed, UsageError
from schema.signatures import RANKING, RECOMMENDER
from schema.storage import atomic

if TYPE_CHECKING:
    from serving.bulk.lists import BulkLists
    from serving.server_lists import ServerLists
import pyarrow as pa

from components.ingest.output import histories
from schema import timeline
from schema.user_ids import UserIdKey, hash_user_id, load_key

FINAL, RETRIEVAL = STAGES = ("final", "retrieval")
ALL_USERS = "all"
Append = Callable[[str], object]
_SERVER_TIMEOUT_S = 60
_ARTIFACTS = ("histories", "candidates", "interactions", "index", "query", "ranking")
_USERS_PER_BATCH = 8192
NamedUsers = tuple[list[str], pa.Table]
"""Names for the output, and the columns of `histories.read_tables` in their order."""


@dataclasses.dataclass(frozen=True)
class BatchRequest:
    """What is asked about whom."""

    users: str
    """Path of a file of user ids, or `all`."""
    k: int
    """Items of a list."""
    stage: str | None
    """Of STAGES; None for the one whose order is served."""
    as_of_test: bool
    """With what was known when test began, at that moment; else with all that the run knows."""
    server: ServerAddress | None = None
    """Who answers; None for the run's own graphs, over exact search."""


def write_lists(root: str, asked: BatchRequest, out: pathlib.Path, now: int) -> dict[str, Any]:
    """Writes {"user_id", "item_ids"} a line to `out`, whole or not at all; returns what it did.
    `root` is the path or the URL of the run.

    `now` is the moment that is asked about, seconds since epoch, UTC. Users of a file stand in its
    order, each once, under the names that it gives; everybody under the names that the run stores,
    which are pseudonyms where it hashed user ids. Raises NotBlessed for a run that pushed nothing,
    unless it is asked as of test, which is for measuring.
    """
    if asked.k < 1:
        raise UsageError(f"--k expects a positive number, received {asked.k}")
    summary = json.loads(read_summary(root))
    if asked.server is not None:
        _require_served(asked, summary)
    if not asked.as_of_test:
        _require_pushed(summary, root)
    lines = None if asked.users == ALL_USERS else _read_users(pathlib.Path(asked.users))
    names = None if lines is None else list(dict.fromkeys(lines))
    stage = asked.stage or (FINAL if summary["ranking"]["order"] == RANKING else RETRIEVAL)
    needed = _ARTIFACTS if asked.server is None else ("histories",)
    with (
        fetch_artifacts(summary["artifacts"], needed, root) as artifacts,
        atomic.open_text(out) as append,
    ):
        summary["artifacts"] = artifacts
        begun = time.perf_counter()
        test = _find_test_cut(summary) if asked.as_of_test else None
        moment = test.now if test else now
        with _open_lists(asked, summary, stage) as lists:
            loaded = time.perf_counter()
            counted = _write_lines(
                append, lists, _iterate_users(summary, names), test, moment, asked.k
            )
            seconds = time.perf_counter() - loaded
    return counted | {
        "repeated_lines": len(lines or []) - len(names or []),
        "stage": stage,
        "now": moment,
        "load_seconds": loaded - begun,
        "seconds": seconds,
        "users_per_second": counted["users"] / seconds,
        "out": str(out),
    }


@contextlib.contextmanager
def _open_lists(
    asked: BatchRequest, summary: dict[str, Any], stage: str
) -> Iterator["BulkLists | ServerLists"]:
    if asked.server is None:
        yield _load_lists(summary, stage, asked.as_of_test)
        return
    from serving.client.client import Client
    from serving.server_lists import ServerLists

    with Client(asked.server.address, _SERVER_TIMEOUT_S, asked.server.security) as client:
        model = RECOMMENDER if stage == FINAL else RETRIEVAL
        yield ServerLists(client, model, summary["config"]["retrieval"]["history_length"])


def _require_served(asked: BatchRequest, summary: dict[str, Any]) -> None:
    if asked.as_of_test:
        raise UsageError(
            "expected a moment that a server knows of, received --as-of test with --server; leave "
            "one out"
        )
    if asked.stage == FINAL and summary["ranking"]["order"] != RANKING:
        raise UsageError(
            "expected --stage of what is served, received final for models that are served in "
            "retrieval's order; leave out --stage or --server"
        )


def _write_lines(
    append: Append,
    lists: "BulkLists | ServerLists",
    users: Iterator[NamedUsers],
    test: Cut | None,
    now: int,
    k: int,
) -> dict[str, Any]:
    from serving.bulk import users as columns

    written = without_history = 0
    for names, table in users:
        askers = columns.of_table(table)
        if test is not None:
            stop = test.find_test_starts(askers.timestamps, askers.row_splits)
            askers = dataclasses.replace(askers, stop=stop)
        for name, item_ids in zip(names, lists.lists(askers, now, k), strict=True):
            line = {"user_id": name, "item_ids": item_ids}
            append(json.dumps(line, ensure_ascii=False) + "\n")
        written += len(names)
        without_history += int((askers.lengths == 0).sum())
    return {"users": written, "without_history": without_history}


def _require_pushed(summary: dict[str, Any], root: str) -> None:
    if not summary["servables"]:
        raise NotBlessed(
            f"expected the models of the run at {root} to be pushed, received some that failed "
            "evaluation; fix what the verdict in its summary.json names and run again "
            "(--as-of test makes lists to measure them by)"
        )


def _find_test_cut(summary: dict[str, Any]) -> Cut:
    artifacts = summary["artifacts"]
    return load_test_cut(
        artifacts["interactions"], artifacts["histories"], _load_dataset(summary).split
    )


def _read_users(path: pathlib.Path) -> list[str]:
    found = id_file.read(path, "user ids", "give its path, or --users all")
    if not found:
        raise UsageError(f"{path}: expected user ids, one a line, received none; give some")
    return found


def _iterate_users(summary: dict[str, Any], names: list[str] | None) -> Iterator[NamedUsers]:
    uri = summary["artifacts"]["histories"]
    if names is None:
        return read_all_users(uri)
    return read_named_users(uri, names, _load_dataset(summary).data.hash_user_ids)


def _load_dataset(summary: dict[str, Any]) -> Dataset:
    config = summary["config"]
    return Dataset.model_validate({name: config[name] for name in Dataset.model_fields})


def _load_lists(summary: dict[str, Any], stage: str, as_of_test: bool) -> "BulkLists":
    from schema import candidates
    from serving import deny_list
    from serving.bulk.lists import BulkLists
    from serving.index.eligibility import Eligibility

    artifacts, config = summary["artifacts"], summary["config"]
    items = candidates.load(artifacts["candidates"])
    if as_of_test:  # what is available today says nothing of then
        items = dataclasses.replace(items, vectors=items.vectors_at_test())
        eligible = Eligibility.of_all(len(items.vectors))
    else:
        eligible = Eligibility.of(items, deny_list.load(artifacts["index"]))
    return BulkLists(
        _load_model(artifacts["query"]),
        items,
        config["retrieval"]["history_length"],
        _load_model(artifacts["ranking"]) if stage == FINAL else None,
        config["ranking"]["candidates"],
        eligible,
    )


def _load_model(folder: str) -> Any:
    from serving.graph import saved_models

    path = pathlib.Path(folder)
    return saved_models.restored(path)


def read_all_users(histories_uri: str) -> Iterator[NamedUsers]:
    """All users that have an event, by the names that the run stores."""
    for table in histories.read_tables(histories_uri, _USERS_PER_BATCH):
        yield table[timeline.USER_ID].to_pylist(), table


def read_named_users(
    histories_uri: str, names: list[str], place: UserIdKey | None
) -> Iterator[NamedUsers]:
    """Users by the names that their source has, each of which stands in `names` once.

    `place` of the key where the run hashed them. A user without events comes with nulls.
    """
    key = None if place is None else load_key(place)
    stored = names if key is None else [hash_user_id(name, key) for name in names]
    found = histories.load(histories_uri, pa.array(stored, pa.large_string()))
    for begin in range(0, len(names), _USERS_PER_BATCH):
        yield names[begin : begin + _USERS_PER_BATCH], found.slice(begin, _USERS_PER_BATCH)
