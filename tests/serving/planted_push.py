"""A pushed recommender with lists that can be computed by hand: a fixed taste plus popularity."""

import pathlib
import tempfile

import numpy as np
import tensorflow as tf

from schema import candidates as candidate_files
from schema.candidates import Candidates
from serving.versions.local import LocalVersionStore
from serving.versions.origin import (
    EXTRA_FOLDER,
    ForcedPush,
    ModelEvaluation,
    Origin,
    RunIdentity,
    write_origin,
)
from trainer.data.popularity_forecast import create_window_forecast, save_forecast

ORIGIN = Origin(
    made_by=RunIdentity(pipeline="shop", fingerprint="f", seed=1),
    evaluated=ModelEvaluation(
        order="retrieval",
        history_length=5,
        ranking_candidates=3,
        learned_until=99,
        judged_against="",
    ),
    pushed_at="2024-01-01T00:00:00+00:00",
    forced=ForcedPush(who="ann", why="a demonstration", at="2024-01-01T00:00:00+00:00"),
)
FORECAST = create_window_forecast(7.0, 0)
"""Popularity is that of the last week."""
SPECS = {
    "user_id": tf.TensorSpec([None], tf.string, name="user_id"),
    "history_item_ids": tf.TensorSpec([None, None], tf.string, name="history_item_ids"),
    "history_timestamps": tf.TensorSpec([None, None], tf.int64, name="history_timestamps"),
    "now": tf.TensorSpec([None], tf.int64, name="now"),
}


class Query(tf.Module):
    """Taste and popularity, each with weight 1, for every user."""

    @tf.function(input_signature=[SPECS])
    def query(self, inputs):
        users = tf.shape(inputs["user_id"])[0]
        return {
            "vector": tf.tile([[1.0, 1.0]], [users, 1]),
            "user_index": tf.ones([users], tf.int32),
        }


class Recommender(tf.Module):
    """A pushed recommender reduced to what later evaluations need."""

    def __init__(self, vectors):
        super().__init__()
        self.query = Query()
        self.ranking = tf.Module()
        self.ranking.item_vectors = tf.Variable(np.pad(vectors[:, :-1], [(1, 0), (0, 0)]))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="user_id")])
    def serve(self, user_id):
        return {"item_ids": user_id}


def push(serving_dir: pathlib.Path, version: int, candidates: Candidates, origin: Origin) -> None:
    """As the pipeline would push it, under the given version."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = Recommender(candidates.vectors)
        tf.saved_model.save(model, str(folder / "model"), signatures=model.serve)
        candidate_files.save(candidates, str(folder / "candidates"))
        save_forecast(FORECAST, str(folder / "candidates"))
        write_origin(origin, folder / "origin.json")
        extra = EXTRA_FOLDER
        extra_files = {f"{extra}/{file}": folder / file for file in ("origin.json", "candidates")}
        models = {"recommender": folder / "model"}
        pushed = LocalVersionStore(serving_dir).push(models, {"recommender": extra_files})
        final = pathlib.Path(pushed["recommender"])
        final.rename(final.with_name(str(version)))
