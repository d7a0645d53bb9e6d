"""The loss beside the same arithmetic, written down."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.catalogue import Catalogue
from trainer.config import RetrievalConfig
from trainer.retrieval_model import RetrievalModel
from trainer.towers import CandidateTower, QueryTower

CONFIG = RetrievalConfig(embedding_dim=4, temperature=0.2)
FREQUENCY = np.array([0, 0.5, 0.3, 0.2, 0.0])
ITEM_INDEX = np.array([[1, 2, 1], [3, 1, 0]], np.int32)
TARGET = np.array([[False, True, True], [True, True, False]])
NEGATIVES = np.array([4, 2], np.int32)


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(3)
    ids = np.array([b"", b"a", b"b", b"c", b"d"], object)
    candidate = CandidateTower(Catalogue(ids, ids, {}), [], FREQUENCY > 0, CONFIG)
    return RetrievalModel(QueryTower(2, [], [], CONFIG), candidate, FREQUENCY, CONFIG)


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
    queries = model.query_tower(inputs, tf.gather(tf.constant(vectors, tf.float32), ITEM_INDEX))
    taken = [int(ITEM_INDEX[place]) for place in positives]
    candidates = taken + inputs["negatives"].numpy().tolist()
    in_batch, uniform = len(taken), len(candidates) - len(taken)
    # a candidate is one of the positives, or drawn evenly from four items
    probability = (FREQUENCY * in_batch + uniform / 4) / (in_batch + uniform)
    losses = []
    for number, place in enumerate(positives):
        logits = {}
        for at, item in enumerate(candidates):
            accidental = at != number and item == taken[number]
            if not accidental:
                score = queries[place].numpy().astype(np.float64) @ vectors[item]
                logits[at] = score / CONFIG.temperature - np.log(probability[item])
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


def test_each_place_gets_the_vector_of_its_own_item(model):
    _, items, negatives = model.encode(_inputs(TARGET, NEGATIVES), training=False)
    vectors = model.candidate_tower(tf.range(5)).numpy()
    np.testing.assert_allclose(items.numpy(), vectors[ITEM_INDEX], atol=1e-6)
    np.testing.assert_allclose(negatives.numpy(), vectors[NEGATIVES], atol=1e-6)
