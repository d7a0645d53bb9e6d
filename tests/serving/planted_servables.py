"""Small servables with answers that can be computed by hand."""

import numpy as np
import tensorflow as tf

from schema.candidates import Candidates, to_text_array
from serving.graph.export import export_servables
from serving.graph.modules import RecommenderModels
from serving.index.build import save_index
from serving.index.exact import ExactIndex
from serving.versions.local import LocalVersionStore

IDS = ["a", "b", "c", "d", "é"]
VECTORS = np.array(
    [[5, 0, 0.1], [4, 0, 0.2], [3, 0, 0.3], [0, 1, 0.4], [0, 2, 0.5]],
    np.float32,
)


RANKING_SPECS = {
    "vector": tf.TensorSpec([None, 3], tf.float32, name="vector"),
    "user_index": tf.TensorSpec([None], tf.int32, name="user_index"),
    "now": tf.TensorSpec([None], tf.int64, name="now"),
    "candidates": tf.TensorSpec([None, None], tf.int32, name="candidates"),
    "log_popularity": tf.TensorSpec([None, None], tf.float32, name="log_popularity"),
}


class Query(tf.Module):
    """`ann` prefers the first dimension, all others the second; doubled on the web."""

    def __init__(self):
        super().__init__()
        self.query = tf.function(self._query, input_signature=[build_specs(device=[None])])

    def _query(self, inputs):
        known = inputs["user_id"] == "ann"
        taste = tf.where(known[:, tf.newaxis], [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
        factor = tf.where(inputs["context_device"] == "web", 2.0, 1.0)
        return {
            "vector": taste * factor[:, tf.newaxis],
            "user_index": tf.cast(known, tf.int32),
            "now": inputs["now"],
        }


class Ranking(tf.Module):
    """An item's relevance is its position, so the last item comes first; one label in addition."""

    def __init__(self, vectors):
        """`vectors` [n, dim + 1], the last column is popularity."""
        super().__init__()
        self.item_vectors = tf.Variable(np.pad(vectors[:, :-1], [(1, 0), (0, 0)]))

    @tf.function(input_signature=[RANKING_SPECS])
    def score(self, inputs):
        taste = tf.reduce_sum(inputs["vector"], axis=1)[:, tf.newaxis]
        user = tf.cast(inputs["user_index"], tf.float32)[:, tf.newaxis]
        late = 100 * tf.cast(inputs["now"] - 1, tf.float32)[:, tf.newaxis]
        return {
            "relevance": tf.cast(inputs["candidates"], tf.float32) + 0 * taste,
            "rating": inputs["log_popularity"] + 10 * user + late,
        }


def build_specs(device):
    specs = {
        "user_id": tf.TensorSpec([None], tf.string),
        "history_item_ids": tf.TensorSpec([None, None], tf.string),
        "history_timestamps": tf.TensorSpec([None, None], tf.int64),
        "now": tf.TensorSpec([None], tf.int64),
        "context_device": tf.TensorSpec(device, tf.string),
    }
    return {name: tf.TensorSpec(s.shape, s.dtype, name=name) for name, s in specs.items()}


def build_candidates(ids, vectors):
    return Candidates(
        item_ids=to_text_array(ids),
        titles=to_text_array(ids),
        vectors=vectors,
        log_popularity_at_test=np.zeros(len(ids), np.float32),
        sample_queries=np.zeros((0, vectors.shape[1]), np.float32),
    )


def save_parts(folder, index, dim, vectors=VECTORS):
    tf.saved_model.save(Query(), str(folder / "query"))
    tf.saved_model.save(Ranking(vectors), str(folder / "ranking"))
    save_index(index, dim, str(folder / "index"))
    return [tf.saved_model.load(str(folder / name)) for name in ("query", "index", "ranking")]


def export_and_load(folder, parts, candidates, **changes):
    models = RecommenderModels(*parts, **{"depth": 3} | changes)
    export_servables(models, candidates, str(folder))
    return {
        n: tf.saved_model.load(str(folder / n)) for n in ("retrieval", "ranking", "recommender")
    }


def push_servables(folder):
    """A serving directory with version 1 of each servable, with exact search."""
    export_and_load(
        folder / "models",
        save_parts(folder, ExactIndex(VECTORS), 3),
        build_candidates(IDS, VECTORS),
    )
    names = ("retrieval", "ranking", "recommender")
    LocalVersionStore(folder / "serving").push({name: folder / "models" / name for name in names})
    return folder / "serving"
