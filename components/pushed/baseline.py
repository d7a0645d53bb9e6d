"""Evaluation queries against a pushed version, as a baseline for the new models."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.ingest.output import histories
from schema import candidates as candidate_files
from schema.errors import TandemError
from schema.signatures import RECOMMENDER
from serving.bulk.pushed_version import (
    PushedVersion,
    find_item_indices,
    find_item_positions,
    open_pushed_version,
)
from serving.bulk.users import UserBatch, build_user_batch
from serving.versions.store import open_version_store
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.popularity_forecast import load_forecast
from trainer.data.training_data import TrainingData

NEVER_RETRAINED = "never_retrained"
LEFT_ALONE = "left_alone"
_DEPTH = 100
_LEARNED_LATER = (
    "its training included events after the time of these queries, which is an unfair advantage"
)

_INCOMPATIBLE_ERRORS = (
    TandemError,
    OSError,  # a missing file
    EOFError,  # a truncated file
    ValueError,  # a file with other content; Arrow, NumPy and TensorFlow raise subclasses
    KeyError,
    AttributeError,  # a SavedModel without the required functions
    tf.errors.OpError,
)
"""Errors that an incompatible version causes."""


@dataclasses.dataclass(frozen=True)
class BaselineAnswer:
    """Recommendation lists of a pushed version, or why there are none."""

    described: dict[str, Any]
    """`version`, `path`; a `note` if the comparison is unfair; `failure` if there are no lists."""
    lists: np.ndarray | None
    """[users, 100] item indices in the new catalogue, fewer columns if the catalogue is smaller; 0
    is padding. None after a failure."""


def query_version(
    data: TrainingData,
    histories_uri: str,
    serving_dir: str,
    version: str,
    refreshed: bool = True,
) -> BaselineAnswer:
    """Runs the evaluation queries of test against a pushed version.

    A version from an incompatible release, made by hand or incomplete gives no lists: the error
    becomes `failure`, and the evaluation continues without the comparison.

    Args:
        data: Data of this run.
        histories_uri: URI of this run's histories.
        serving_dir: Folder or URL of the pushed versions.
        version: Number of the version.
        refreshed: Whether to use the popularity at the time of the queries, instead of the one that
            the version was pushed with.
    """
    path = f"{serving_dir}/{RECOMMENDER}/{version}"
    described = {"version": int(version), "path": path}
    try:
        with open_version_store(serving_dir).open_copy(RECOMMENDER, int(version)) as folder:
            lists, note = _query_folder(data, histories_uri, folder, version, refreshed)
    except _INCOMPATIBLE_ERRORS as error:
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return BaselineAnswer(described | {"failure": message[:500]}, None)
    return BaselineAnswer(described | note, lists)


def query_unchanged(
    data: TrainingData, histories_uri: str, serving_dir: str, version: str
) -> dict[str, BaselineAnswer]:
    """Returns the lists that `version` would give without any training since its push:
    `never_retrained` with current popularity, `left_alone` with the popularity of the push.

    Args:
        data: Data of this run.
        histories_uri: URI of this run's histories.
        serving_dir: Folder or URL of the pushed versions.
        version: Number of the version.
    """
    return {
        name: query_version(data, histories_uri, serving_dir, version, refreshed)
        for name, refreshed in ((NEVER_RETRAINED, True), (LEFT_ALONE, False))
    }


def _query_folder(
    data: TrainingData,
    histories_uri: str,
    serving_dir: pathlib.Path,
    version: str,
    refreshed: bool,
) -> tuple[np.ndarray, dict[str, str]]:
    pushed = open_pushed_version(serving_dir, version)
    queries = build_queries(data.test, data.moment(data.test), data.repeats)
    # More than _DEPTH, because the new catalogue may lack some of the items.
    depth = max(_DEPTH, pushed.evaluated.ranking_candidates)
    popularity = pushed.candidates.vectors[:, -1]
    if refreshed:
        popularity = compute_baseline_popularity(data, queries.now, pushed)
    users = _build_user_batch(queries, histories_uri)
    lists = pushed.lists(users, queries.now, popularity, depth)
    later = pushed.evaluated.learned_until >= queries.now
    note = {"note": _LEARNED_LATER} if later else {}
    ids = candidate_files.to_text_array(data.catalogue.item_ids[1:])
    return find_item_indices(lists, ids, _DEPTH), note


def _build_user_batch(queries: EvaluationQueries, histories_uri: str) -> UserBatch:
    """The users of the queries, in order, with their histories up to the time of the queries."""
    names = [name.decode() for name in queries.timelines.user_ids[queries.row]]
    loaded = histories.load(histories_uri, pa.array(names, pa.large_string()))
    return build_user_batch(loaded, as_of_test=True)


def compute_baseline_popularity(data: TrainingData, now: int, pushed: PushedVersion) -> np.ndarray:
    """Computes the log popularity [n] of the version's candidates at `now` (seconds since epoch,
    UTC), from train and valid; an item that these data do not have counts as one without events.
    """
    clock = data.clock(data.train, data.valid)
    log_popularity = load_forecast(pushed.candidates_uri).predict(clock, now)
    ids = candidate_files.to_text_array(data.catalogue.item_ids[1:])
    positions = find_item_positions(pushed.candidates.item_ids, ids)
    return log_popularity[positions]
