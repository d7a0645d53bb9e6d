"""Queries a pushed version again: its final lists at another time and for another catalogue."""

import dataclasses
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema import candidates as candidate_files
from schema.candidates import Candidates
from schema.signatures import RANKING, RECOMMENDER
from serving.bulk.lists import BulkRecommender
from serving.bulk.users import UserBatch
from serving.graph.modules import RecommenderModels
from serving.graph.saved_models import load_saved_model
from serving.versions.local import LocalVersionStore
from serving.versions.origin import (
    CANDIDATES_FOLDER,
    ORIGIN_FILE,
    ModelEvaluation,
    get_extra_folder,
    read_origin,
)


@dataclasses.dataclass(frozen=True)
class PushedVersion:
    """A version of the serving directory with the data needed to query it."""

    evaluated: ModelEvaluation
    candidates: Candidates
    candidates_uri: str
    """Folder of the candidates."""
    path: pathlib.Path
    """Folder of the recommender's SavedModel."""

    def lists(
        self, users: UserBatch, now: int, log_popularity: np.ndarray, k: int
    ) -> list[list[str]]:
        """The k best items of each user, best first, in the order that this version serves, of the
        items that its own `repeats` allows and with its own default `diversity`
        and `calibration`.

        Args:
            users: Users with their events.
            now: Time of the requests, seconds since epoch, UTC.
            log_popularity: Log popularity [n] of the version's candidates at that time. It replaces
                the pushed one, as a refresh would, so that no later events are used.
            k: Maximum length of a list.

        Returns:
            Item ids of each user, in the order of `users`.
        """
        model = load_saved_model(self.path)
        vectors = np.column_stack([self.candidates.vectors[:, :-1], log_popularity])
        bulk = BulkRecommender(
            RecommenderModels(
                query=model.query,
                index=None,
                ranking=model.ranking,
                depth=self.evaluated.ranking_candidates,
                rank_order=self.evaluated.order == RANKING,
                repeats=self.evaluated.repeats,
                diversity=self.evaluated.diversity,
                calibration=self.evaluated.calibration,
            ),
            dataclasses.replace(self.candidates, vectors=vectors.astype(np.float32)),
            self.evaluated.history_length,
        )
        return bulk.lists(users, now, k)


def open_pushed_version(serving_dir: pathlib.Path, version: str) -> PushedVersion:
    """Reads the files stored with the SavedModel. Raises TandemError without an origin, OSError
    without candidates.
    """
    extra = get_extra_folder(serving_dir, version)
    evaluated = read_origin(extra / ORIGIN_FILE).evaluated
    uri = str(extra / CANDIDATES_FOLDER)
    candidates = candidate_files.load(uri)
    path = LocalVersionStore(serving_dir).get_folder(RECOMMENDER, int(version))
    return PushedVersion(evaluated, candidates, uri, path)


def find_item_indices(lists: list[list[str]], item_ids: pa.Array, k: int) -> np.ndarray:
    """Converts lists of ids to 1-based indices [users, min(k, n)] into `item_ids` [n],
    large_binary, padded with 0. Items that are not in `item_ids` are dropped, and later ones move
    up.
    """
    indices = np.zeros((len(lists), min(k, len(item_ids))), np.int32)
    listed = pa.array(lists, pa.large_list(pa.large_binary()))
    index = find_item_positions(listed.flatten(), item_ids)
    ends = np.cumsum([len(items) for items in lists])
    for row, items in zip(indices, np.split(index, ends[:-1]), strict=True):
        known = items[items > 0][: len(row)]
        row[: len(known)] = known
    return indices


def find_item_positions(wanted: pa.Array, item_ids: pa.Array) -> np.ndarray:
    """1-based positions [w] of the `wanted` ids in `item_ids`, 0 for ids that are not in it."""
    index = pc.index_in(wanted, value_set=item_ids)
    return pc.fill_null(pc.add(index, 1), 0).to_numpy(zero_copy_only=False)
