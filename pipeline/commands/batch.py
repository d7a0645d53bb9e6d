"""`tandem batch`: ranked lists of a finished run for many users at once."""

import contextlib
import dataclasses
import json
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from components.ingest.events.cut import load_query_time
from components.ingest.output import histories
from pipeline.commands.recommend import ServerAddress
from pipeline.run_root import fetch_artifacts, load_summary
from schema import id_file, timeline
from schema.dataset import Dataset
from schema.errors import NotBlessed, UsageError
from schema.recommend import Recommend
from schema.run_summary import RunSummary
from schema.signatures import RECOMMENDER
from schema.storage import atomic
from schema.user_ids import UserIdKey, hash_user_id, load_key

if TYPE_CHECKING:
    from serving.bulk.lists import BulkRecommender, ServerRecommender

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
    """The lists to write."""

    users: str
    """Path of a file of user ids, or `all`."""
    k: int
    """Number of items per list."""
    stage: str | None
    """One of STAGES; None for the stage whose order is served."""
    as_of_test: bool
    """Whether the lists are as of the start of the test split: no later event is used."""
    diversity: float | None = None
    """Diversity of the served lists; None for the run's default."""
    server: ServerAddress | None = None
    """Server to query; None for the run's own models with exact search."""


def write_lists(root: str, request: BatchRequest, out: pathlib.Path, now: int) -> dict[str, Any]:
    """Writes one line {"user_id", "item_ids"} per user to `out`, atomically; returns the counts and
    times that `tandem batch --json` prints.

    Users from a file keep its order and names, without repetitions. With `all`, names are those
    that the run stores: pseudonyms where it hashes user ids.

    Args:
        root: Path or URL of the run.
        request: The lists to write.
        out: File to write.
        now: Time of the request, seconds since epoch, UTC; not used with `as_of_test`.

    Raises:
        NotBlessed: The run pushed no models. Lists as of test are written all the same, since they
            are for evaluation.
        UsageError: `request` does not fit the run.
    """
    if request.k < 1:
        raise UsageError(f"--k expects a positive number, received {request.k}")
    summary = load_summary(root)
    if request.server is not None:
        _require_served(request, summary)
    if not request.as_of_test:
        _require_pushed(summary, root)
    lines = None if request.users == ALL_USERS else _read_users(pathlib.Path(request.users))
    names = None if lines is None else list(dict.fromkeys(lines))
    served = FINAL if summary.ranking.is_served else RETRIEVAL
    stage = request.stage or served
    if stage != served and request.diversity is not None:
        raise UsageError(
            f"expected no --diversity for --stage {stage}, since only lists in the served order, "
            f"{served}, are diversified; leave out one of the two"
        )
    needed = _ARTIFACTS if request.server is None else ("histories",)
    with (
        fetch_artifacts(summary.artifacts, needed, root) as artifacts,
        atomic.open_text(out) as append,
    ):
        summary = summary.model_copy(update={"artifacts": artifacts})
        start = time.perf_counter()
        moment = _find_query_time(summary) if request.as_of_test else now
        with _open_lists(request, summary, stage, stage == served) as lists:
            loaded = time.perf_counter()
            users = _iterate_users(summary, names)
            counted = _write_lines(append, lists, users, moment, request)
            seconds = time.perf_counter() - loaded
    return counted | {
        "repeated_lines": len(lines or []) - len(names or []),
        "stage": stage,
        "now": moment,
        "load_seconds": loaded - start,
        "seconds": seconds,
        "users_per_second": counted["users"] / seconds,
        "out": str(out),
    }


@contextlib.contextmanager
def _open_lists(
    request: BatchRequest, summary: RunSummary, stage: str, is_served: bool
) -> Iterator["BulkRecommender | ServerRecommender"]:
    recommend = _load_dataset(summary).recommend
    if request.server is None:
        diversity = recommend.diversity if request.diversity is None else request.diversity
        recommend = recommend.replace_values(diversity=diversity)
        if not is_served:
            recommend = recommend.replace_values(diversity=0.0, calibration=0.0)
        yield _load_lists(summary, stage, request.as_of_test, recommend)
        return
    from serving.bulk.lists import ServerRecommender
    from serving.client.client import Client

    with Client(request.server.address, _SERVER_TIMEOUT_S, request.server.security) as client:
        model = RECOMMENDER if is_served else RETRIEVAL
        length = summary.config["retrieval"]["history_length"]
        yield ServerRecommender(client, model, length, recommend.repeats, request.diversity)


def _require_served(request: BatchRequest, summary: RunSummary) -> None:
    if request.as_of_test:
        raise UsageError(
            "expected the current time with --server, received --as-of test; leave out "
            "one of the two"
        )
    if request.stage == FINAL and not summary.ranking.is_served:
        raise UsageError(
            "expected the stage that is served, received --stage final for models served in "
            "retrieval's order; leave out --stage or --server"
        )


def _write_lines(
    append: Append,
    lists: "BulkRecommender | ServerRecommender",
    users: Iterator[NamedUsers],
    now: int,
    request: BatchRequest,
) -> dict[str, Any]:
    from serving.bulk.users import build_user_batch

    written = without_history = 0
    for names, table in users:
        user_batch = build_user_batch(table, request.as_of_test)
        for name, item_ids in zip(names, lists.lists(user_batch, now, request.k), strict=True):
            line = {"user_id": name, "item_ids": item_ids}
            append(json.dumps(line, ensure_ascii=False) + "\n")
        written += len(names)
        without_history += int((user_batch.lengths == 0).sum())
    return {"users": written, "without_history": without_history}


def _require_pushed(summary: RunSummary, root: str) -> None:
    if not summary.servables:
        raise NotBlessed(
            f"expected the models of the run at {root} to be pushed, received some that failed "
            "evaluation; fix what the verdict in its summary.json names and run again "
            "(--as-of test makes lists to measure them by)"
        )


def _find_query_time(summary: RunSummary) -> int:
    artifacts = summary.artifacts
    return load_query_time(
        artifacts["interactions"], artifacts["histories"], _load_dataset(summary).split
    )


def _read_users(path: pathlib.Path) -> list[str]:
    names = id_file.read(path, "user ids", "give its path, or --users all")
    if not names:
        raise UsageError(f"{path}: expected user ids, one a line, received none; give some")
    return names


def _iterate_users(summary: RunSummary, names: list[str] | None) -> Iterator[NamedUsers]:
    uri = summary.artifacts["histories"]
    if names is None:
        return read_all_users(uri)
    return read_named_users(uri, names, _load_dataset(summary).data.hash_user_ids)


def _load_dataset(summary: RunSummary) -> Dataset:
    sections = summary.config.keys() & Dataset.model_fields  # an older run has fewer
    return Dataset.model_validate({name: summary.config[name] for name in sections})


def _load_lists(
    summary: RunSummary, stage: str, as_of_test: bool, recommend: Recommend
) -> "BulkRecommender":
    from schema import candidates
    from serving.bulk.lists import BulkRecommender
    from serving.graph.modules import RecommenderModels
    from serving.index.eligibility import Eligibility, load_denied_ids

    artifacts, config = summary.artifacts, summary.config
    items = candidates.load(artifacts["candidates"])
    if as_of_test:  # today's availability does not apply to the start of test
        items = dataclasses.replace(items, vectors=items.vectors_at_test())
        eligible = Eligibility.of_all(len(items.vectors))
    else:
        eligible = Eligibility.of(items, load_denied_ids(artifacts["index"]))
    models = RecommenderModels(
        query=_load_model(artifacts["query"]),
        index=None,
        ranking=_load_model(artifacts["ranking"]),
        depth=config["ranking"]["candidates"],
        rank_order=stage == FINAL,
        repeats=recommend.repeats,
        diversity=recommend.diversity,
        calibration=recommend.calibration,
    )
    return BulkRecommender(models, items, config["retrieval"]["history_length"], eligible)


def _load_model(folder: str) -> Any:
    from serving.graph.saved_models import load_saved_model

    path = pathlib.Path(folder)
    return load_saved_model(path)


def read_all_users(histories_uri: str) -> Iterator[NamedUsers]:
    """Users with at least one event, under the names that the run stores."""
    for table in histories.read_tables(histories_uri, _USERS_PER_BATCH):
        yield table[timeline.USER_ID].to_pylist(), table


def read_named_users(
    histories_uri: str, names: list[str], key_source: UserIdKey | None
) -> Iterator[NamedUsers]:
    """Users under the distinct `names` of the input file; nulls for a user without events.

    `key_source` describes where the key is, if the run hashes user ids.
    """
    key = None if key_source is None else load_key(key_source)
    stored = names if key is None else [hash_user_id(name, key) for name in names]
    table = histories.load(histories_uri, pa.array(stored, pa.large_string()))
    for start in range(0, len(names), _USERS_PER_BATCH):
        yield names[start : start + _USERS_PER_BATCH], table.slice(start, _USERS_PER_BATCH)
