"""The length of a query's vector, from what is known of the user."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.config.models import RetrievalConfig
from trainer.layers.features import FeatureSpec
from trainer.retrieval.taste_strength import TasteStrength, find_present, measure_history
from trainer.retrieval.towers import QueryTower

COLUMNS = 4
DIM = 6
HOUR = 3600
PRIOR = np.array([3.0, 1.0, 2.0])
"""Log popularity of three items."""
amounts = st.lists(st.floats(0, 2), min_size=COLUMNS, max_size=COLUMNS)
rates = st.lists(st.floats(-3, 1), min_size=COLUMNS, max_size=COLUMNS)
"""Before softplus."""


@pytest.fixture(scope="module")
def layer():
    layer = TasteStrength(COLUMNS, name="taste_strength")
    layer.build(tf.TensorShape([None, COLUMNS]))
    return layer


def _measure(layer, evidence):
    return float(layer(tf.constant([evidence], tf.float32))[0, 0])


def test_initial_rates_are_one(layer):
    layer.set_weights([np.full(COLUMNS, math.log(math.e - 1))])
    assert _measure(layer, [0, 0.5, 0, 0.25]) == pytest.approx(1 - math.exp(-0.75))


def test_each_kind_of_evidence_has_its_rate(layer):
    layer.set_weights([np.log(np.expm1([0.5, 1, 2, 4]))])
    strengths = [_measure(layer, row) for row in np.eye(COLUMNS)]
    assert strengths == pytest.approx([1 - math.exp(-rate) for rate in (0.5, 1, 2, 4)])


@settings(max_examples=50)
@given(rates=rates)
def test_without_evidence_it_is_exactly_zero(layer, rates):
    layer.set_weights([np.array(rates)])
    assert _measure(layer, [0.0] * COLUMNS) == 0.0


@settings(max_examples=100)
@given(rates=rates, evidence=amounts, column=st.integers(0, COLUMNS - 1), more=st.floats(0.1, 2))
def test_it_grows_with_each_kind_of_evidence_and_stays_below_one(
    layer, rates, evidence, column, more
):
    layer.set_weights([np.array(rates)])
    grown = [value + more * (number == column) for number, value in enumerate(evidence)]
    low, high = _measure(layer, evidence), _measure(layer, grown)
    assert 0 <= low <= high <= 1
    if sum(grown) < 5:  # beyond, the difference may be below the precision of float32
        assert low < high < 1


def test_the_evidence_of_a_history_is_its_length_and_its_recency():
    """No event; one at this moment; three, the last of them e - 1 hours ago."""
    evidence = measure_history(tf.constant([[0, 1, 3]]), tf.constant([[0.0, 0.0, 1.0]]))
    expected = [[0, 0], [math.log(2), 1], [math.log(4), 0.5]]
    np.testing.assert_allclose(evidence[0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("category", [[0, 3]], [[0, 1]]),
        ("number", [[0.0, -0.5]], [[0, 1]]),
        ("set", [[[0, 0], [0, 2]]], [[0, 1]]),
        ("text", np.zeros((1, 2, 0), np.int32), [[0, 0]]),  # no row has any value
        ("vector", [[[0.0, 0.0], [0.0, -1.0]]], [[0, 1]]),
    ],
)
def test_a_feature_is_present_where_it_has_a_value(kind, values, expected):
    present = find_present(tf.constant(values), FeatureSpec("f", kind, 2))
    assert present.numpy().tolist() == expected
    assert present.dtype == tf.float32


def _create_tower(**changes):
    tf.keras.utils.set_random_seed(3)
    users, context = [FeatureSpec("region", "category", 2)], [FeatureSpec("device", "category", 3)]
    config = RetrievalConfig(embedding_dim=DIM, user_ids=True).replace_values(**changes)
    return QueryTower(4, users, context, config)


@pytest.fixture(scope="module", params=["attention", "mean"])
def tower(request):
    return _create_tower(history=request.param)


def _build_batch(rows=1):
    """A query at hour 10 by an unknown user without history and features."""
    return {
        "item_index": np.zeros((rows, 3), np.int32),
        "timestamps": np.tile(np.array([0, 0, 10 * HOUR]), (rows, 1)),
        "user_index": np.zeros(rows, np.int32),
        "context_device": np.zeros((rows, 3), np.int64),
        "user_region": np.zeros(rows, np.int32),
    }


def _encode(tower, batch):
    """[b, dim] at the last position."""
    vectors = np.random.default_rng(1).normal(size=(10, DIM)).astype(np.float32)
    inputs = {name: tf.constant(values) for name, values in batch.items()}
    return tower(inputs, tf.gather(vectors, inputs["item_index"])).numpy()[:, -1]


def test_where_nothing_is_known_the_order_is_the_priors(tower):
    query = _encode(tower, _build_batch())[0]
    assert query.tolist() == [0] * DIM
    items = np.random.default_rng(2).normal(size=(3, DIM))
    assert (items @ query + 1e-6 * PRIOR).argsort().tolist() == [1, 2, 0]


def test_length_of_a_vector_is_the_strength_of_its_evidence(tower):
    """Each kind of evidence alone, with the initial rates of 1; the latest event is 2 hours old."""
    batch = _build_batch(5)
    batch["item_index"][0, :2], batch["timestamps"][0, :2] = 5, 8 * HOUR
    batch["user_index"][1] = 4
    batch["user_region"][2] = 1
    batch["context_device"][3, 2] = 2
    batch["context_device"][4, :2] = 2  # of earlier events
    history = math.log(3) + 1 / (1 + math.log(3))
    expected = 1 - np.exp(-np.array([history, 1, 1, 1, 0]))
    lengths = np.linalg.norm(_encode(tower, batch), axis=1)
    np.testing.assert_allclose(lengths, expected, atol=1e-5)


def test_a_batch_has_the_results_of_its_single_rows(tower):
    batch = _build_batch(3)
    batch["item_index"][1] = [3, 0, 0]
    batch["user_index"][2] = 2
    together = _encode(tower, batch)
    assert together[0].tolist() == [0] * DIM
    for row in range(3):
        single = {name: values[row : row + 1] for name, values in batch.items()}
        np.testing.assert_allclose(_encode(tower, single)[0], together[row], atol=1e-5)


def test_a_user_id_that_the_model_does_not_use_is_no_evidence():
    batch = _build_batch()
    batch["user_index"][0] = 4
    tower = _create_tower(user_ids=False)
    assert _encode(tower, batch)[0].tolist() == [0] * DIM


def test_an_id_hidden_in_training_is_no_evidence():
    batch = {name: tf.constant(values) for name, values in _build_batch(300).items()}
    batch["user_index"] = tf.fill([300], 2)
    tower = _create_tower(id_dropout=0.5, dropout=0.0)
    vectors = tower(batch, tf.zeros([300, 3, DIM]), training=True)[:, -1]
    lengths = np.linalg.norm(vectors, axis=1)
    hidden = lengths == 0
    assert 0.4 < hidden.mean() < 0.6
    np.testing.assert_allclose(lengths[~hidden], 1 - math.exp(-1), atol=1e-5)


@pytest.mark.parametrize("history", ["attention", "mean"])
def test_without_a_popularity_prior_every_vector_has_the_learned_scale(history):
    tower = _create_tower(history=history, popularity_prior=False)
    batch = _build_batch(2)
    batch["item_index"][1] = [3, 4, 0]
    np.testing.assert_allclose(np.linalg.norm(_encode(tower, batch), axis=1), 1, atol=1e-5)
    _set_scale(tower, 2.5)
    np.testing.assert_allclose(np.linalg.norm(_encode(tower, batch), axis=1), 2.5, atol=1e-5)


def test_the_scale_multiplies_the_strength(tower):
    batch = _build_batch(2)
    batch["user_index"][1] = 4
    try:
        _set_scale(tower, 2.5)
        lengths = np.linalg.norm(_encode(tower, batch), axis=1)
    finally:
        _set_scale(tower, 1.0)
    np.testing.assert_allclose(lengths, [0, 2.5 * (1 - math.exp(-1))], atol=1e-5)


def _set_scale(tower, scale):
    (variable,) = [weight for weight in tower.weights if "taste_log_scale" in weight.name]
    variable.assign(math.log(scale))


def test_mixed_precision_has_the_same_strength(layer):
    """bfloat16 has three digits: it would round the logarithm of a history's length."""
    evidence, rates = [0.123456, 0, 0, 0.654321], np.log(np.expm1([1.2345, 1, 1, 0.34567]))
    layer.set_weights([rates])
    expected = _measure(layer, evidence)
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        mixed = TasteStrength(COLUMNS, name="taste_strength")
        mixed.build(tf.TensorShape([None, COLUMNS]))
        mixed.set_weights([rates])
        assert _measure(mixed, evidence) == expected
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert expected == pytest.approx(1 - math.exp(-0.123456 * 1.2345 - 0.654321 * 0.34567))
