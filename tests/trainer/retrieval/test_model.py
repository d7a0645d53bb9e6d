"""The loss against explicit arithmetic."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.data.popularity import PopularitySnapshots
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.towers import CandidateTower, QueryTower

CONFIG = RetrievalConfig(embedding_dim=4, temperature=0.2)
FREQUENCY = np.array([0, 0.5, 0.3, 0.2, 0.0])
POPULARITY = np.array([[0, 0, 0, 0, 0], [0, 1.5, 0.5, 0, 0], [0, 2.5, 0, 0.7, 0]])
REFRESHES = PopularitySnapshots(np.array([5, 15, 25]), POPULARITY.astype(np.float32))
WEIGHT = 1.0  # before any training
REFRESH = np.array([[0, 1, 2], [0, 1, 0]])  # the latest before 10, 20, 30 and 10, 20
ITEM_INDEX = np.array([[1, 2, 1], [3, 1, 0]], np.int32)
TARGET = np.array([[False, True, True], [True, True, False]])
NEGATIVES = np.array([3, 2], np.int32)


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(3)
    ids = np.array([b"", b"a", b"b", b"c", b"d"], object)
    candidate = CandidateTower(Catalogue(ids, ids, {}), [], FREQUENCY > 0, CONFIG)
    return RetrievalModel(QueryTower(2, [], [], CONFIG), candidate, FREQUENCY, REFRESHES, CONFIG)


def _inputs(target, negatives):
    return {
        "item_index": tf.constant(ITEM_INDEX),
        "timestamps": tf.constant([[10, 20, 30], [10, 20, 0]], tf.int64),
        "user_index": tf.constant([1, 2]),
        "target": tf.constant(target),
        "negatives": tf.constant(negatives),
    }


def _expected(model, inputs, positives):
    """`positives` are the (row, position) of the targets, in reading order."""
    vectors = model.candidate_tower(tf.range(5)).numpy().astype(np.float64)
    history = inputs["item_index"].numpy()
    queries = model.query_tower(inputs, tf.gather(tf.constant(vectors, tf.float32), history))
    interacted = [int(history[index]) for index in positives]
    candidates = interacted + inputs["negatives"].numpy().tolist()
    in_batch, uniform = len(interacted), len(candidates) - len(interacted)
    # a candidate is one of the positives, or drawn evenly from the three items of training; an item
    # that is not in training counts as the rarest of them
    share = np.where(FREQUENCY > 0, FREQUENCY, 0.2)
    probability = (share * in_batch + uniform / 3) / (in_batch + uniform)
    losses = []
    for number, index in enumerate(positives):
        logits = {}
        for at, item in enumerate(candidates):
            accidental = at != number and item == interacted[number]
            if not accidental:
                score = queries[index].numpy().astype(np.float64) @ vectors[item]
                popular = WEIGHT * POPULARITY[REFRESH[index], item]
                logits[at] = score / CONFIG.temperature + popular - np.log(probability[item])
        total = sum(np.exp(logit) for logit in logits.values())
        losses.append(np.log(total) - logits[number])
    return np.mean(losses)


def test_loss_is_the_corrected_softmax_over_both_sorts_of_negatives(model):
    inputs = _inputs(TARGET, NEGATIVES)
    expected = _expected(model, inputs, [(0, 1), (0, 2), (1, 0), (1, 1)])
    assert model.compute_loss(inputs).numpy() == pytest.approx(expected, rel=1e-4)


def test_loss_without_uniform_negatives(model):
    inputs = _inputs(TARGET, np.zeros(0, np.int32))
    expected = _expected(model, inputs, [(0, 1), (0, 2), (1, 0), (1, 1)])
    assert model.compute_loss(inputs).numpy() == pytest.approx(expected, rel=1e-4)


def test_a_batch_without_targets_has_no_loss_and_no_gradient(model):
    with tf.GradientTape() as tape:
        loss = model.compute_loss(_inputs(np.zeros((2, 3), bool), NEGATIVES), training=True)
    assert loss.numpy() == 0
    for gradient in tape.gradient(loss, model.trainable_variables):
        if gradient is not None:
            values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
            assert np.isfinite(values.numpy()).all()
            assert not values.numpy().any()


def test_each_position_gets_the_vector_of_its_item(model):
    _, items, negatives = model.encode(_inputs(TARGET, NEGATIVES), training=False)
    vectors = model.candidate_tower(tf.range(5)).numpy()
    np.testing.assert_allclose(items.numpy(), vectors[ITEM_INDEX], atol=1e-6)
    np.testing.assert_allclose(negatives.numpy(), vectors[NEGATIVES], atol=1e-6)


@pytest.mark.parametrize("static_shapes", [False, True])
def test_items_rarer_than_one_in_a_million_are_distinguished(static_shapes):
    """Three candidates with equal scores: the loss is that of their corrections alone."""
    frequency = np.array([0, 1 - 3e-8, 2e-8, 1e-8])
    item_vectors = np.zeros((4, 4), np.float32)
    model = _untrained(frequency, item_vectors, static_shapes)
    inputs = _inputs(np.ones((1, 3), bool), np.zeros(0, np.int32)) | {
        "item_index": tf.constant([[1, 2, 3]]),
        "timestamps": tf.constant([[10, 20, 30]], tf.int64),
        "user_index": tf.constant([1]),
    }
    # Logits are -log q. For q = (1, 2e-8, 1e-8) they are 0, log 5e7 and log 1e8, and so the
    # softmax shares are 1 : 5e7 : 1e8. (Clipped at 1e-6 the last two would be equal.)
    total = 1 + 5e7 + 1e8
    expected = -np.mean([np.log(1 / total), np.log(5e7 / total), np.log(1e8 / total)])
    assert model.compute_loss(inputs).numpy() == pytest.approx(expected, rel=1e-5)


def _untrained(frequency, item_vectors, static_shapes):
    ids = np.array([b"%d" % n for n in range(len(frequency))], object)
    candidate = CandidateTower(Catalogue(ids, ids, {}), [], frequency > 0, CONFIG)
    model: Any = RetrievalModel(
        QueryTower(2, [], [], CONFIG), candidate, frequency, None, CONFIG, static_shapes
    )
    model.candidate_tower = lambda index, training: tf.gather(tf.constant(item_vectors), index)
    return model


@pytest.mark.parametrize("target", [TARGET, np.zeros((2, 3), bool)])
@pytest.mark.parametrize("negatives", [NEGATIVES, np.zeros(0, np.int32)])
def test_static_shapes_change_neither_loss_nor_gradient(model, target, negatives):
    towers = model.query_tower, model.candidate_tower
    fixed = RetrievalModel(*towers, FREQUENCY, None, CONFIG, static_shapes=True)
    fixed.popularity_prior = model.popularity_prior
    inputs = _inputs(target, negatives)
    losses, gradients = [], []
    for each in (model, fixed):
        with tf.GradientTape() as tape:
            losses.append(each.compute_loss(inputs))
        result = tape.gradient(losses[-1], model.trainable_variables, unconnected_gradients="zero")
        gradients.append([tf.convert_to_tensor(gradient).numpy() for gradient in result])
    assert losses[1].numpy() == pytest.approx(losses[0].numpy(), rel=1e-5)
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_an_item_that_training_lacks_counts_as_the_rarest(model):
    inputs = _inputs(TARGET, np.zeros(0, np.int32)) | {
        "item_index": tf.constant([[1, 4, 1], [3, 1, 0]])
    }
    expected = _expected(model, inputs, [(0, 1), (0, 2), (1, 0), (1, 1)])
    assert model.compute_loss(inputs).numpy() == pytest.approx(expected, rel=1e-4)
