"""The exported candidate tower: raw features give the same vectors as the trainer's arrays."""

import numpy as np
import pytest
import tensorflow as tf

from schema import timeline
from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.data.transformed_examples import pad_ragged
from trainer.layers.features import build_feature_specs
from trainer.retrieval.export import CandidateModule, save_candidate_model
from trainer.retrieval.towers import CandidateTower

DIM = 6


@pytest.fixture(scope="module")
def tower(planted):
    """A tower over the planted catalogue; items a and b occur in training, c does not."""
    rows = [int(row["item_index"]) for row in planted.items_out]
    names = [row["item_id"] for row in planted.items_out]
    order = np.argsort(rows)
    features = {}
    for name, feature in planted.dataset.features.items.items():
        values = [planted.items_out[n] for n in order]
        key = timeline.name_item_feature(name)
        if feature.kind in ("set", "text"):
            lists = [list(row[f"{key}$ragged_values"]) for row in values]
            dense = pad_ragged([tf.ragged.constant(lists, tf.int64)])
        else:
            dense = np.stack([np.asarray(row[key]) for row in values])
        features[name] = np.concatenate([np.zeros_like(dense[:1]), dense])
    ids = np.array([b"", *(names[n] for n in order)], object)
    trained = np.isin(ids, [b"a", b"b"])
    tf.keras.utils.set_random_seed(4)
    made = CandidateTower(
        Catalogue(ids, ids, features),
        build_feature_specs(
            planted.dataset.features.items, timeline.name_item_feature, planted.items_graph
        ),
        trained,
        RetrievalConfig(embedding_dim=DIM),
    )
    return dict(zip(ids.tolist(), made(tf.range(len(ids))).numpy(), strict=True)), made


@pytest.fixture(scope="module")
def encode(planted, tower, tmp_path_factory):
    """encode(rows as written by ingestion) -> vectors, from the SavedModel."""
    path = str(tmp_path_factory.mktemp("tower"))
    save_candidate_model(CandidateModule(tower[1], planted.dataset, planted.items_graph), path)
    loaded = tf.saved_model.load(path)
    return lambda rows: loaded.vectors(tf.constant([example(row) for row in rows])).numpy()


def example(row):
    made = tf.train.Example()
    for name, value in row.items():
        values = value if isinstance(value, list) else [value]
        if not values:
            continue
        if isinstance(values[0], float):
            made.features.feature[name].float_list.value.extend(values)
        else:
            made.features.feature[name].bytes_list.value.extend(values)
    return made.SerializeToString()


def items(planted):
    return [dict(row) for row in planted.items]


def test_known_items_have_the_vectors_that_training_gave_them(planted, tower, encode):
    rows = items(planted)
    expected = np.stack([tower[0][row["item_id"]] for row in rows])
    np.testing.assert_allclose(encode(rows), expected, atol=1e-5)


def test_one_row_has_the_same_vector_as_among_others(planted, encode):
    rows = items(planted)
    for row, vector in zip(rows, encode(rows), strict=True):
        np.testing.assert_allclose(encode([row])[0], vector, atol=1e-5)


def test_a_new_item_has_the_vector_of_its_content(planted, encode):
    """Only the content of an item that does not occur in training is known."""
    rows = items(planted)
    new = rows[2] | {"item_id": b"never seen"}
    np.testing.assert_allclose(encode([new])[0], encode([rows[2]])[0], atol=1e-6)
    learned = rows[0] | {"item_id": b"never seen either"}
    assert np.abs(encode([learned])[0] - encode([rows[0]])[0]).max() > 1e-3


def test_changed_content_moves_an_item(planted, encode):
    rows = items(planted)
    moved = encode([rows[0] | {"item_studio": [b"y"]}, rows[0] | {"item_price": [9.0]}])
    assert (np.abs(moved - encode([rows[0]])).max(axis=1) > 1e-3).all()


def test_a_value_that_training_never_saw_counts_as_unknown(planted, encode):
    row = items(planted)[0]
    unheard, absent = row | {"item_studio": [b"unheard of"]}, row | {"item_studio": []}
    np.testing.assert_allclose(encode([unheard]), encode([absent]), atol=1e-6)
