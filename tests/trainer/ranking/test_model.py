"""The multi-task loss and the exported module against explicit arithmetic."""

import numpy as np
import pytest
import tensorflow as tf

from schema.labels import RankingLabel
from trainer.config.models import RankingConfig
from trainer.data.transition_table import NO_ITEM, TransitionTable
from trainer.layers.features import FeatureSpec
from trainer.metrics.calibration import PlattScaling
from trainer.ranking.bias_baseline import BiasBaseline
from trainer.ranking.export import RankingModule, save_ranking_model
from trainer.ranking.model import RankingModel
from trainer.ranking.network import RankingItems, RankingNetwork

LABELS = {
    "rating": RankingLabel(column="rating", kind="regression", weight=0.5),
    "bought": RankingLabel(column="bought", kind="binary", at_least=2.0, weight=2.0),
}
# mean, deviation, item biases 0-5, user biases 0-2
BASELINES = {
    "rating": BiasBaseline(3.0, 1.5, np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5]), np.array([0, 1, -1])),
    "bought": BiasBaseline(0.5, 0.5, np.array([0, 0.1, -0.1, 0, 0.2, 0]), np.array([0, 0.1, 0.4])),
}
# item 1 leads to 2 and 3, item 3 to 2
TRANSITIONS = TransitionTable(
    np.array([[NO_ITEM] * 2, [2, 3], [NO_ITEM] * 2, [2, NO_ITEM], *[[NO_ITEM] * 2] * 2], np.int32),
    np.array([[0, 0], [0.5, 0.2], [0, 0], [0.7, 0], [0, 0], [0, 0]], np.float32),
)


@pytest.fixture(scope="module")
def network():
    tf.keras.utils.set_random_seed(6)
    vectors = np.random.default_rng(6).normal(size=(6, 4)).astype(np.float32)
    vectors[0] = 0
    config = RankingConfig(id_dim=3, hidden_units=[8], cross_layers=1)
    learned = np.array([False, True, True, True, False, True])
    device = FeatureSpec("device", "category", 3)
    items = RankingItems(vectors, learned, TRANSITIONS)
    return RankingNetwork(items, 2, [device], LABELS, BASELINES, config)


@pytest.fixture
def inputs():
    rng = np.random.default_rng(7)
    return {
        "vector": tf.constant(rng.normal(size=(3, 5)), tf.float32),
        "user_index": tf.constant([1, 0, 2]),
        "history_index": tf.constant([[5, 1], [0, 0], [0, 3]]),
        "now": tf.constant([10, 90_000, 200_000], tf.int64),
        "context_device": tf.constant([1, 0, 3], tf.int64),
        "candidates": tf.constant([[1, 2, 3], [4, 5, 0], [2, 0, 0]]),
        "log_popularity": tf.constant(rng.random((3, 3)), tf.float32),
        "label_rating": tf.constant([4.0, np.nan, 1.0]),
        "label_bought": tf.constant([2.0, 1.0, np.nan]),
    }


def test_loss_by_hand(network, inputs):
    result = RankingModel(network, LABELS, BASELINES).compute_loss(inputs).numpy()
    outputs = {name: values.numpy().astype(np.float64) for name, values in network(inputs).items()}
    candidates = inputs["candidates"].numpy()
    relevance = [
        np.log(np.exp(logits[items > 0]).sum()) - logits[0]
        for logits, items in zip(outputs["relevance"], candidates, strict=True)
    ]
    rating, bought = outputs["rating"][:, 0], outputs["bought"][:, 0]
    errors = [((4 - rating[0]) / 1.5) ** 2, ((1 - rating[2]) / 1.5) ** 2]
    # log loss of a logit: log(1 + exp(-x)) if the event reached 2, else log(1 + exp(x))
    entropy = [np.log1p(np.exp(-bought[0])), np.log1p(np.exp(bought[1]))]
    expected = np.mean(relevance) + 0.5 * sum(errors) / 3 + 2.0 * sum(entropy) / 3
    assert result == pytest.approx(expected, rel=1e-4)


def test_the_weight_of_an_event_applies_to_its_order_only(network, inputs):
    model = RankingModel(network, {}, {})
    orders = [
        model.compute_loss({name: values[n : n + 1] for name, values in inputs.items()}).numpy()
        for n in range(3)
    ]
    weights = [2.0, 0.5, 4.0]
    expected = sum(weight * loss for weight, loss in zip(weights, orders, strict=True)) / 3
    weighted = inputs | {"weight": tf.constant(weights)}
    assert model.compute_loss(weighted).numpy() == pytest.approx(expected, rel=1e-4)
    labelled = RankingModel(network, LABELS, BASELINES)
    difference = labelled.compute_loss(inputs).numpy() - sum(orders) / 3  # that of the labels
    assert labelled.compute_loss(weighted).numpy() == pytest.approx(expected + difference, rel=1e-4)


def test_an_empty_position_does_not_count_in_the_loss(network, inputs):
    model = RankingModel(network, LABELS, BASELINES)
    empty = inputs["candidates"] == 0
    loss = model.compute_loss(inputs).numpy()
    # not all of them: a constant added to every score would not change the order
    interacted = tf.constant([[True, False, False]] * 3)
    for positions, matters in ((empty, False), (interacted, True)):
        moved = inputs["log_popularity"] + 5 * tf.cast(positions, tf.float32)
        changed = model.compute_loss(inputs | {"log_popularity": moved}).numpy()
        assert (abs(changed - loss) > 1e-4) == matters


def test_candidates_are_scored_each_by_itself(network, inputs):
    together = network(inputs)["relevance"].numpy()
    for position in range(3):
        alone = network(
            inputs
            | {
                name: inputs[name][:, position : position + 1]
                for name in ("candidates", "log_popularity")
            }
        )
        np.testing.assert_allclose(alone["relevance"][:, 0], together[:, position], atol=1e-5)


def _select_model_inputs(inputs):
    return {name: values for name, values in inputs.items() if not name.startswith("label_")}


def test_the_saved_module_scores_as_the_network_does(network, inputs, tmp_path):
    queries = _select_model_inputs(inputs)
    expected = network(queries)
    calibration = {"bought": PlattScaling(0.5, -1.0)}
    module = RankingModule(network, LABELS, calibration, queries)
    save_ranking_model(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    results, before = loaded.score(queries), loaded.uncalibrated(queries)
    assert sorted(results) == sorted(before) == ["bought", "rating", "relevance"]
    for name in ("relevance", "rating"):
        np.testing.assert_allclose(results[name], expected[name], atol=1e-5)
        np.testing.assert_allclose(before[name], expected[name], atol=1e-5)
    logit = expected["bought"].numpy()
    np.testing.assert_allclose(before["bought"], 1 / (1 + np.exp(-logit)), atol=1e-5)
    np.testing.assert_allclose(results["bought"], 1 / (1 + np.exp(1 - logit / 2)), atol=1e-5)


def test_a_query_has_the_same_score_alone_and_in_a_batch(network, inputs, tmp_path):
    queries = _select_model_inputs(inputs)
    module = RankingModule(network, LABELS, {}, queries)
    together = module.score(queries)
    for row in range(3):
        alone = module.score({name: values[row : row + 1] for name, values in queries.items()})
        for name, scores in alone.items():
            np.testing.assert_allclose(scores[0], together[name][row], atol=1e-5)


def test_an_untrained_network_predicts_the_bias_baseline(network, inputs):
    """Users 1, 0, 2 with the first candidates 1, 4, 2: mean + item bias + user bias."""
    outputs = network(inputs)
    np.testing.assert_allclose(
        outputs["rating"][:, 0], [3 + 0.1 + 1, 3 + 0.4, 3 + 0.2 - 1], atol=1e-5
    )
    chances = np.array([0.5 + 0.1 + 0.1, 0.5 + 0.2, 0.5 - 0.1 + 0.4])
    np.testing.assert_allclose(outputs["bought"][:, 0], np.log(chances / (1 - chances)), atol=1e-5)


def test_an_untrained_network_ranks_as_retrieval_does(network, inputs):
    """Score of the index: taste . item vector + weight * log popularity."""
    vectors = np.random.default_rng(6).normal(size=(6, 4)).astype(np.float32)
    vectors[0] = 0
    query, items = inputs["vector"].numpy(), inputs["candidates"].numpy()
    taste = (query[:, np.newaxis, :4] * vectors[items]).sum(axis=2)
    expected = taste + query[:, 4:] * inputs["log_popularity"].numpy()
    np.testing.assert_allclose(network(inputs)["relevance"], expected, atol=1e-5)


def test_a_later_item_is_scored_as_one_that_was_never_learned(network, inputs, tmp_path):
    """Item 4 was not learned, and differs from its twin 6 only in the bias of its rating."""
    queries = _select_model_inputs(inputs) | {"candidates": tf.constant([[4, 6, 1]] * 3)}
    queries["log_popularity"] = tf.ones([3, 3])
    before = network(queries | {"candidates": tf.constant([[4, 4, 1]] * 3)})
    module = RankingModule(network, LABELS, {}, queries)
    save_ranking_model(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    item_vectors = loaded.item_vectors.numpy()
    loaded.item_vectors.assign(np.vstack([item_vectors, item_vectors[4]]))
    scores = {name: values.numpy() for name, values in loaded.score(queries).items()}
    np.testing.assert_allclose(scores["relevance"][:, 1], scores["relevance"][:, 0], atol=1e-5)
    difference = scores["rating"][:, 0] - scores["rating"][:, 1]
    np.testing.assert_allclose(difference, 0.4, atol=1e-5)
    np.testing.assert_allclose(scores["relevance"], before["relevance"], atol=1e-5)
