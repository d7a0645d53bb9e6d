import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.layers.features import FeatureSpec
from trainer.retrieval.towers import CandidateTower, QueryTower

ITEMS, USERS, DIM = 9, 4, 8
CONFIG = RetrievalConfig(embedding_dim=DIM, popularity_prior=False, user_ids=True)
"""With the prior a query's vector has another length; see test_taste_strength.py."""


@pytest.fixture(scope="module")
def candidate_tower():
    """Items 1 to 6 occur in training; 7, 8 and 9 are new, 7 and 8 have the same genre and price."""
    tf.keras.utils.set_random_seed(1)
    catalogue = Catalogue(
        item_ids=np.array([b""] + [b"i%d" % n for n in range(1, ITEMS + 1)], object),
        titles=np.array([b""] * (ITEMS + 1), object),
        features={
            "genre": np.array([0, 1, 2, 3, 1, 2, 3, 1, 1, 2], np.int32),
            "price": np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7, 0.7], np.float32),
        },
    )
    features = [FeatureSpec("genre", "category", 3), FeatureSpec("price", "number", 1)]
    return CandidateTower(catalogue, features, np.arange(ITEMS + 1) % 7 == np.arange(10), CONFIG)


@pytest.fixture(scope="module")
def item_vectors(candidate_tower):
    return candidate_tower(tf.range(ITEMS + 1)).numpy()


def _query_tower(**changes):
    tf.keras.utils.set_random_seed(2)
    users = [FeatureSpec("region", "category", 2)]
    config = CONFIG.model_copy(update=changes)
    return QueryTower(USERS, users, [FeatureSpec("device", "category", 3)], config)


@pytest.fixture(scope="module", params=["attention", "two blocks of two heads", "mean"])
def query_tower(request):
    if request.param == "two blocks of two heads":
        return _query_tower(attention_blocks=2, attention_heads=2)
    return _query_tower(history=request.param)


def _batch(seed, rows=2, length=6):
    rng = np.random.default_rng(seed)
    return {
        "item_index": rng.integers(0, ITEMS + 1, (rows, length)).astype(np.int32),
        "timestamps": np.sort(rng.integers(0, 2_000_000, (rows, length)), axis=1),
        "user_index": rng.integers(0, USERS + 1, rows).astype(np.int32),
        "context_device": rng.integers(0, 4, (rows, length)),
        "user_region": rng.integers(0, 3, rows).astype(np.int32),
    }


def _encode(tower, batch, item_vectors):
    inputs = {name: tf.constant(values) for name, values in batch.items()}
    return tower(inputs, tf.gather(item_vectors, inputs["item_index"])).numpy()


def test_vectors_of_both_towers_have_length_one(query_tower, item_vectors):
    np.testing.assert_allclose(np.linalg.norm(item_vectors, axis=-1), 1, atol=1e-5)
    vectors = _encode(query_tower, _batch(0), item_vectors)
    assert vectors.shape == (2, 6, DIM)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)


def test_new_items_have_the_vector_of_their_content(item_vectors):
    np.testing.assert_allclose(item_vectors[7], item_vectors[8], atol=1e-6)
    assert np.abs(item_vectors[7] - item_vectors[9]).max() > 1e-3
    assert np.abs(item_vectors[1] - item_vectors[4]).max() > 1e-3  # same genre, different ids


def test_id_dropout_hides_ids_only_in_training(candidate_tower, item_vectors):
    index = tf.repeat(3, 400)
    np.testing.assert_allclose(
        candidate_tower(index).numpy(), np.tile(item_vectors[3], (400, 1)), atol=1e-6
    )
    drawn = candidate_tower(index, training=True).numpy()
    hidden = np.abs(drawn - item_vectors[3]).max(axis=1) > 1e-4
    assert 0.2 < hidden.mean() < 0.4  # three tenths


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), position=st.integers(0, 5))
def test_later_events_never_change_a_vector(query_tower, item_vectors, seed, position):
    """An event's item affects the positions after it, its time and context its own position."""
    batch, other = _batch(seed), _batch(seed + 1)
    changed = {name: values.copy() for name, values in batch.items()}
    changed["item_index"][:, position:] = other["item_index"][:, position:]
    for name in ("timestamps", "context_device"):
        changed[name][:, position + 1 :] = other[name][:, position + 1 :]
    before = _encode(query_tower, batch, item_vectors)[:, : position + 1]
    after = _encode(query_tower, changed, item_vectors)[:, : position + 1]
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_an_event_changes_the_vector_after_it(query_tower, item_vectors):
    batch = _batch(3)
    batch["item_index"][:, 2] = 1
    changed = batch | {"item_index": batch["item_index"].copy()}
    changed["item_index"][:, 2] = 6
    difference = _encode(query_tower, batch, item_vectors) - _encode(
        query_tower, changed, item_vectors
    )
    moved = np.abs(difference).max(axis=(0, 2)) > 1e-4
    assert moved.tolist() == [False, False, False, True, True, True]


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), padding=st.integers(1, 5))
def test_padding_never_matters(query_tower, item_vectors, seed, padding):
    batch = _batch(seed)
    padded = {
        name: np.pad(values, [(0, 0), (0, padding)]) if values.ndim == 2 else values
        for name, values in batch.items()
    }
    np.testing.assert_allclose(
        _encode(query_tower, padded, item_vectors)[:, :6],
        _encode(query_tower, batch, item_vectors),
        atol=1e-5,
    )


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), position=st.integers(0, 6), width=st.integers(1, 3))
def test_an_unknown_item_has_no_position(query_tower, item_vectors, seed, position, width):
    """Padding and items outside the catalogue may be before, within or after a history."""
    batch = _batch(seed)
    wider = {
        name: np.insert(values, [position] * width, 0, axis=1) if values.ndim == 2 else values
        for name, values in batch.items()
    }
    result = np.delete(
        _encode(query_tower, wider, item_vectors), range(position, position + width), axis=1
    )
    np.testing.assert_allclose(result, _encode(query_tower, batch, item_vectors), atol=1e-5)


def test_attention_depends_on_the_order_of_a_history_and_the_mean_does_not(item_vectors):
    batch = _batch(5)
    batch["item_index"][:, :3] = [1, 5, 6]
    swapped = batch | {"item_index": batch["item_index"][:, [2, 1, 0, 3, 4, 5]]}
    for history, expected in (("attention", True), ("mean", False)):
        tower = _query_tower(history=history)
        difference = _encode(tower, batch, item_vectors) - _encode(tower, swapped, item_vectors)
        assert (np.abs(difference[:, 3:]).max() > 1e-4) == expected


def test_attention_adds_to_the_mean(item_vectors):
    """With what attention adds set to 0, the vectors are those of the mean alone."""
    batch = _batch(6)
    mean, attention = _query_tower(history="mean"), _query_tower(history="attention")
    expected, before = (_encode(tower, batch, item_vectors) for tower in (mean, attention))
    learned = {variable.name: variable for variable in mean.weights}
    for variable in attention.weights:
        if "history_norm" in variable.name:
            variable.assign(tf.zeros_like(variable))
        elif variable.name in learned:
            variable.assign(learned[variable.name])
    assert np.abs(before - expected).max() > 1e-2
    np.testing.assert_allclose(_encode(attention, batch, item_vectors), expected, atol=1e-5)


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_a_history_longer_than_configured_is_read_too(item_vectors, seed):
    """Beyond the largest distance, later events still do not change earlier positions."""
    tower = _query_tower(history_length=2)
    batch = _batch(seed)
    vectors = _encode(tower, batch, item_vectors)
    assert np.isfinite(vectors).all()
    shorter = {n: v[:, :4] if v.ndim == 2 else v for n, v in batch.items()}
    np.testing.assert_allclose(vectors[:, :4], _encode(tower, shorter, item_vectors), atol=1e-5)


def test_a_batch_has_the_results_of_its_single_rows(query_tower, item_vectors):
    batch = _batch(4, rows=3)
    together = _encode(query_tower, batch, item_vectors)
    for row in range(3):
        single = {name: values[row : row + 1] for name, values in batch.items()}
        np.testing.assert_allclose(
            _encode(query_tower, single, item_vectors)[0], together[row], atol=1e-5
        )


def test_an_unknown_user_without_history_is_scored_from_the_context(query_tower, item_vectors):
    batch = {
        "item_index": np.zeros((2, 1), np.int32),
        "timestamps": np.array([[1000], [1000]]),
        "user_index": np.zeros(2, np.int32),
        "context_device": np.array([[1], [2]]),
        "user_region": np.zeros(2, np.int32),
    }
    vectors = _encode(query_tower, batch, item_vectors)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4


def test_towers_without_any_declared_feature():
    catalogue = Catalogue(np.array([b"", b"a"], object), np.array([b"", b"a"], object), features={})
    vectors = CandidateTower(catalogue, [], np.array([False, True]), CONFIG)(tf.range(2))
    tower = QueryTower(1, [], [], CONFIG)
    batch = {
        "item_index": tf.constant([[1, 0]]),
        "timestamps": tf.constant([[5, 6]], tf.int64),
        "user_index": tf.constant([1]),
    }
    result = tower(batch, tf.gather(vectors, batch["item_index"])).numpy()
    np.testing.assert_allclose(np.linalg.norm(result, axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("history", ["attention", "mean"])
def test_mixed_precision_computes_in_bfloat16_about_the_same(item_vectors, history):
    tower = _query_tower(history=history)
    expected = _encode(tower, _batch(6), item_vectors)
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        mixed = _query_tower(history=history)
        mixed_inputs = {name: tf.constant(values) for name, values in _batch(6).items()}
        vectors = tf.gather(item_vectors, mixed_inputs["item_index"])
        mixed(mixed_inputs, vectors)
        mixed.set_weights(tower.get_weights())
        result = mixed(mixed_inputs, vectors)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert result.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(result, tf.float32), expected, atol=0.03)


def test_without_user_ids_equal_histories_give_equal_queries():
    config = RetrievalConfig(embedding_dim=4, user_ids=False)
    tower = QueryTower(2, [], [], config)
    batch = {
        "item_index": tf.constant([[1, 2], [1, 2]]),
        "timestamps": tf.constant([[10, 20], [10, 20]], tf.int64),
        "user_index": tf.constant([1, 2]),
    }
    items = tf.repeat(tf.random.stateless_normal([1, 2, 4], (1, 2)), 2, axis=0)
    vectors = tower(batch, items)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    known = QueryTower(2, [], [], config.model_copy(update={"user_ids": True}))(batch, items)
    assert np.abs(known[0] - known[1]).max() > 1e-4
