"""A pushed version asked again: its final lists, as of another moment and for another catalogue."""

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
    """A version of the serving directory with all that asking it takes."""

    evaluated: ModelEvaluation
    candidates: Candidates
    path: pathlib.Path
    """Folder of the recommender's SavedModel."""

    def lists(
        self, users: UserBatch, now: int, log_popularity: np.ndarray, k: int
    ) -> list[list[str]]:
        """The k best unseen items of each user at `now` (seconds since epoch, UTC), best first, in
        the order that this version serves.

        `log_popularity` [n], of its own candidates at that moment, takes the place of what it was
        pushed with, as a refresh would do it: no version sees what came later.
        """
        model = load_saved_model(self.path)
        vectors = np.column_stack([self.candidates.vectors[:, :-1], log_popularity])
        bulk = BulkRecommender(
            model.query,
            dataclasses.replace(self.candidates, vectors=vectors.astype(np.float32)),
            self.evaluated.history_length,
            model.ranking if self.evaluated.order == RANKING else None,
            self.evaluated.ranking_candidates,
        )
        return bulk.lists(users, now, k)


def open_pushed_version(serving_dir: pathlib.Path, version: str) -> PushedVersion:
    """Reads what lies beside the SavedModel. TandemError without an origin, OSError without
    candidates.
    """
    extra = get_extra_folder(serving_dir, version)
    evaluated = read_origin(extra / ORIGIN_FILE).evaluated
    candidates = candidate_files.load(str(extra / CANDIDATES_FOLDER))
    path = LocalVersionStore(serving_dir).get_folder(RECOMMENDER, int(version))
    return PushedVersion(evaluated, candidates, path)


def find_item_indices(lists: list[list[str]], item_ids: pa.Array, k: int) -> np.ndarray:
    """Lists of ids -> [users, min(k, n)] indices from 1 into `item_ids` [n], large_binary; 0 where
    a list is shorter. Items that `item_ids` does not have fall out, and what comes after them moves
    up.
    """
    found = np.zeros((len(lists), min(k, len(item_ids))), np.int32)
    listed = pa.array(lists, pa.large_list(pa.large_binary()))
    index = find_item_positions(listed.flatten(), item_ids)
    ends = np.cumsum([len(items) for items in lists])
    for row, items in zip(found, np.split(index, ends[:-1]), strict=True):
        known = items[items > 0][: len(row)]
        row[: len(known)] = known
    return found


def find_item_positions(wanted: pa.Array, item_ids: pa.Array) -> np.ndarray:
    """[w] places from 1 of the `wanted`, 0 for those that are not there."""
    found = pc.index_in(wanted, value_set=item_ids)
    return pc.fill_null(pc.add(found, 1), 0).to_numpy(zero_copy_only=False)
