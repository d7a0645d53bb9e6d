"""Weights of events in the retrieval loss, against explicit arithmetic."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.data.event_weights import WEIGHT, add_weights, scale_weights
from trainer.data.timelines import concat_timelines
from trainer.data.windows import cut_windows, pad_windows
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.towers import CandidateTower, QueryTower

CONFIG = RetrievalConfig(embedding_dim=4, temperature=0.2)
FREQUENCY = np.array([0, 0.5, 0.3, 0.2])
ITEMS = [[1, 2, 3], [3, 1, 0]]
WEIGHTS = [[0.5, 2, 4], [1, 3, 0]]
TARGETS = [(0, 1), (0, 2), (1, 0), (1, 1)]


@pytest.fixture(scope="module", params=[False, True], ids=["ragged", "static"])
def model(request):
    tf.keras.utils.set_random_seed(3)
    ids = np.array([b"", b"a", b"b", b"c"], object)
    candidate = CandidateTower(Catalogue(ids, ids, {}), [], FREQUENCY > 0, CONFIG)
    query = QueryTower(2, [], [], CONFIG)
    return RetrievalModel(query, candidate, FREQUENCY, None, CONFIG, static_shapes=request.param)


def _inputs(targets, **more):
    target = np.zeros((2, 3), bool)
    target[tuple(zip(*targets, strict=True))] = True
    return {
        "item_index": tf.constant(ITEMS),
        "timestamps": tf.constant([[10, 20, 30], [10, 20, 0]], tf.int64),
        "user_index": tf.constant([1, 2]),
        "target": tf.constant(target),
        "negatives": tf.constant([2, 3]),
    } | more


def _losses(model):
    """The loss of each target: softmax over the positives' items and two uniform negatives, less
    log of the probability of each, without accidental hits.
    """
    inputs = _inputs(TARGETS)
    vectors = model.candidate_tower(tf.range(4)).numpy().astype(np.float64)
    history = tf.gather(tf.constant(vectors, tf.float32), inputs["item_index"])
    queries = model.query_tower(inputs, history).numpy().astype(np.float64)
    own = [ITEMS[row][at] for row, at in TARGETS]
    candidates = np.array([*own, 2, 3])
    probability = (FREQUENCY[candidates] * 4 + 2 / 3) / 6
    losses = []
    for n, index in enumerate(TARGETS):
        logits = vectors[candidates] @ queries[index] / 0.2 - np.log(probability)
        mask = (candidates != own[n]) | (np.arange(6) == n)
        losses.append(np.log(np.exp(logits[mask]).sum()) - logits[n])
    return np.array(losses)


def test_the_loss_is_a_weighted_mean(model):
    weights = np.array([2, 4, 1, 3])
    expected = (weights * _losses(model)).sum() / weights.sum()
    loss = model.compute_loss(_inputs(TARGETS, weight=tf.constant(WEIGHTS, tf.float32)))
    assert loss.numpy() == pytest.approx(expected, rel=1e-4)


def test_without_weights_the_loss_is_the_mean(model):
    expected = _losses(model).mean()
    assert model.compute_loss(_inputs(TARGETS)).numpy() == pytest.approx(expected, rel=1e-4)


def test_batches_have_the_weights_of_their_events(timelines_of):
    rows = [(b"a", 1, [1, 2], [1, 2], 0), (b"b", 2, [3], [5], 0)]
    weight = np.array([2, 4, 0.5], np.float32)
    timelines = dataclasses.replace(timelines_of(rows), weight=weight)
    batch = pad_windows(timelines, cut_windows(timelines, 4), np.arange(2))
    assert add_weights(batch, timelines)[WEIGHT].tolist() == [[2, 4], [0.5, 0]]
    both = concat_timelines(timelines, timelines)
    assert both.weight is not None
    assert both.weight.tolist() == [2, 4, 0.5] * 2


def test_batches_of_a_log_without_weights_stay_the_same(timelines_of):
    timelines = timelines_of([(b"a", 1, [1, 2], [1, 2], 0)])
    batch = pad_windows(timelines, cut_windows(timelines, 4), np.arange(1))
    assert add_weights(batch, timelines) is batch
    assert scale_weights(timelines, timelines) == [timelines, timelines]


def test_weights_have_mean_1_over_what_train_learns(timelines_of):
    rows = [(b"a", 1, [1, 2, 0, 3], [1, 2, 3, 4], 1)]
    train = timelines_of(rows, positive=[1, 1, 1, 1])
    train = dataclasses.replace(train, weight=np.array([9, 2, 9, 6], np.float32))
    valid = dataclasses.replace(train, weight=np.array([8, 8, 8, 8], np.float32))
    scaled = [each.weight for each in scale_weights(train, valid)]
    # The first event is history and the third on an unknown item: the mean of the others is 4.
    assert [each.tolist() for each in scaled if each is not None] == [
        [2.25, 0.5, 2.25, 1.5],
        [2, 2, 2, 2],
    ]
