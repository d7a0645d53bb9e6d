"""A pushed recommender with models that receive more items than they were exported with."""

import numpy as np
import pytest
import tensorflow as tf

from schema.candidates import Candidates, to_text_array
from schema.errors import TandemError
from serving.versions.refresh import load_refreshed_models


class Query(tf.Module):
    """The position of an item and its vector; 0 and zeros for an unknown item."""

    def __init__(self, path):
        super().__init__()
        self.item_vectors = tf.Variable(
            np.array([[0, 0], [1, 0], [0, 1]], np.float32), shape=[None, 2]
        )
        initializer = tf.lookup.TextFileInitializer(
            path,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        self._items = tf.lookup.StaticHashTable(initializer, -1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def look_up(self, ids):
        index = self._items.lookup(ids) + 1
        return index, tf.gather(self.item_vectors, index)


class Ranking(tf.Module):
    def __init__(self):
        super().__init__()
        self.item_vectors = tf.Variable(np.zeros([3, 2], np.float32), shape=[None, 2])

    @tf.function(input_signature=[])
    def total(self):
        return tf.reduce_sum(self.item_vectors)


class Recommender(tf.Module):
    def __init__(self, path):
        super().__init__()
        self.query, self.ranking = Query(path), Ranking()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="ids")])
    def serve(self, ids):
        return {"index": self.query.look_up(ids)[0]}


BEFORE = to_text_array([b"a", b"b"])
AFTER = Candidates(
    item_ids=to_text_array([b"a", b"b", b"new"]),
    titles=to_text_array([b"a", b"b", b"new"]),
    vectors=np.array([[1, 0, 9], [5, 5, 9], [2, 3, 9]], np.float32),
    log_popularity_at_test=np.zeros(3, np.float32),
    sample_queries=np.zeros((0, 3), np.float32),
)


@pytest.fixture(scope="module")
def pushed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pushed")
    (folder / "item_id").write_bytes(b"a\nb\n")
    model, path = Recommender(str(folder / "item_id")), folder / "recommender" / "1"
    tf.saved_model.save(model, str(path), signatures={"serving_default": model.serve})
    return path


def test_new_items_are_known_and_changed_ones_have_their_new_vector(pushed):
    with load_refreshed_models(pushed, BEFORE, AFTER) as models:
        index, vectors = models.query.look_up(tf.constant(["new", "b", "elsewhere"]))
        assert index.numpy().tolist() == [3, 2, 0]
        assert vectors.numpy().tolist() == [[2, 3], [5, 5], [0, 0]]
        assert models.ranking.total().numpy() == 1 + 10 + 5


def test_the_pushed_version_is_unchanged(pushed):
    with load_refreshed_models(pushed, BEFORE, AFTER):
        pass
    loaded = tf.saved_model.load(str(pushed))
    index, _ = loaded.query.look_up(tf.constant(["new", "b"]))
    assert index.numpy().tolist() == [0, 2]


def test_old_and_new_exports_loaded_together_keep_their_own_items(pushed, tmp_path):
    with load_refreshed_models(pushed, BEFORE, AFTER) as models:
        holder = tf.Module()
        holder.query = models.query
        tf.saved_model.save(holder, str(tmp_path / "again"))
    old = tf.saved_model.load(str(pushed))
    new = tf.saved_model.load(str(tmp_path / "again"))
    assert new.query.look_up(tf.constant(["new"]))[0].numpy().tolist() == [3]
    assert new.query.look_up(tf.constant(["new"]))[1].numpy().tolist() == [[2, 3]]
    assert old.query.look_up(tf.constant(["new"]))[0].numpy().tolist() == [0]


def test_a_model_of_other_items_is_refused(pushed):
    others = to_text_array([b"a", b"c"])
    models = load_refreshed_models(pushed, others, AFTER)
    with pytest.raises(TandemError, match="lists the items"), models:
        pass
