"""The version that is pushed now, asked what evaluation asks of the new one."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.ingest.events.cut import Cut
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
from trainer.data.popularity import compute_log_popularity
from trainer.data.training_data import TrainingData

NEVER_RETRAINED = "never_retrained"
LEFT_ALONE = "left_alone"
_DEPTH = 100
_LEARNED_LATER = (
    "it has learned from events after the moment of these questions, which is in its favour"
)

_INCOMPATIBLE_ERRORS = (
    TandemError,
    OSError,  # a file that is missing
    EOFError,  # or cut short
    ValueError,  # one that holds something else: Arrow's, NumPy's and TensorFlow's own among them
    KeyError,
    AttributeError,  # a SavedModel without the functions that are called
    tf.errors.OpError,
)
"""How a version that is not as this Tandem pushes it fails."""


@dataclasses.dataclass(frozen=True)
class BaselineAnswer:
    """What came of asking."""

    described: dict[str, Any]
    """`version`, `path`; a `note` where the comparison is not an even one, `failure` where there is
    none."""
    lists: np.ndarray | None
    """[users, 100] indices of the new catalogue's items, or as deep as it; 0 for no item."""


def query_version(
    data: TrainingData,
    histories_uri: str,
    serving_dir: str,
    version: str,
    refreshed: bool = True,
) -> BaselineAnswer:
    """Asks version `version`, in a folder or at a URL, the questions of test, as of their moment:
    with the popularity of that moment, or, not `refreshed`, with the one that it was pushed with.

    A version that was made by another Tandem, by hand, or is not whole cannot be asked: what ended
    it is its `failure`, and the evaluation goes on without its lists.
    """
    path = f"{serving_dir}/{RECOMMENDER}/{version}"
    described = {"version": int(version), "path": path}
    try:
        with open_version_store(serving_dir).open_copy(RECOMMENDER, int(version)) as folder:
            lists, note = _query_folder(data, histories_uri, folder, version, refreshed)
    except _INCOMPATIBLE_ERRORS as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return BaselineAnswer(described | {"failure": said[:500]}, None)
    return BaselineAnswer(described | note, lists)


def query_unchanged(
    data: TrainingData, histories_uri: str, serving_dir: str, version: str
) -> dict[str, BaselineAnswer]:
    """What version `version` would answer now, had nothing been trained since: `never_retrained`
    with the popularity of today, `left_alone` with its own.
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
    asked = build_queries(data.test, data.moment(data.test))
    depth = max(_DEPTH, pushed.evaluated.ranking_candidates)  # some may have left the catalogue
    popular = pushed.candidates.vectors[:, -1]
    if refreshed:
        popular = compute_baseline_popularity(data, asked.now, pushed)
    lists = pushed.lists(_build_user_batch(data, asked, histories_uri), asked.now, popular, depth)
    later = pushed.evaluated.learned_until >= asked.now
    note = {"note": _LEARNED_LATER} if later else {}
    ids = candidate_files.to_text_array(data.catalogue.item_ids[1:])
    return find_item_indices(lists, ids, _DEPTH), note


def _build_user_batch(
    data: TrainingData, asked: EvaluationQueries, histories_uri: str
) -> UserBatch:
    """Those who are asked, in their order, with what they had done by then."""
    names = [name.decode() for name in asked.timelines.user_ids[asked.row]]
    found = build_user_batch(histories.load(histories_uri, pa.array(names, pa.large_string())))
    cut = Cut(asked.now if data.has_clock else None, asked.now)
    return dataclasses.replace(found, stop=cut.find_test_starts(found.timestamps, found.row_splits))


def compute_baseline_popularity(data: TrainingData, now: int, pushed: PushedVersion) -> np.ndarray:
    """[n] log popularity of the version's own candidates at `now`; 0 for those that the data do
    not have.
    """
    known = data.clock(data.train, data.valid)
    votes = known.votes(now, pushed.evaluated.popularity_days)
    ids = candidate_files.to_text_array(data.catalogue.item_ids[1:])
    places = find_item_positions(pushed.candidates.item_ids, ids)
    return compute_log_popularity(votes[places])
