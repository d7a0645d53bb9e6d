"""The losses of the ablation against explicit arithmetic, and a recall by hand."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.quality import variant as quality_variant
from benchmarks.quality.ablation import Variant
from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.retrieval.towers import CandidateTower, QueryTower

CONFIG = RetrievalConfig(embedding_dim=4, temperature=0.5)
FREQUENCY = np.array([0, 0.6, 0.4])
CONSUMED = [1, 2, 1]  # the first and the last are the same item: accidental hits of each other
UNIFORM = 2
PROBABILITY = np.array([0, (0.6 * 3 + 2 / 2) / 5, (0.4 * 3 + 2 / 2) / 5])
BATCH = {
    "item_index": tf.constant([CONSUMED]),
    "timestamps": tf.constant([[10, 20, 30]], tf.int64),
    "user_index": tf.constant([1]),
    "target": tf.constant([[True, True, True]]),
    "negatives": tf.constant([2, 1]),
}


def _model(variant):
    tf.keras.utils.set_random_seed(5)
    ids = np.array([b"", b"a", b"b"], object)
    candidate = CandidateTower(Catalogue(ids, ids, {}), [], FREQUENCY > 0, CONFIG)
    query = QueryTower(1, [], [], CONFIG)
    return quality_variant.model_class(variant)(query, candidate, FREQUENCY, None, CONFIG)


def _expected(model, log_q, without_hits):
    vectors = model.candidate_tower(tf.range(3)).numpy()
    queries = model.query_tower(BATCH, tf.constant(vectors[[CONSUMED]]))[0].numpy()
    candidates = [*CONSUMED, 2, 1]
    losses = []
    for own, item in enumerate(CONSUMED):
        logits = vectors[candidates] @ queries[own] / 0.5
        if log_q:
            logits -= np.log(PROBABILITY[candidates])
        hits = [at for at, other in enumerate(candidates) if other == item and at != own]
        negatives = np.delete(logits, hits) if without_hits else logits
        losses.append(np.log(np.exp(negatives).sum()) - logits[own])
    return np.mean(losses)


@pytest.mark.parametrize(("log_q", "without_hits"), itertools.product([True, False], repeat=2))
def test_loss_by_hand(log_q, without_hits):
    model = _model(Variant("", log_q=log_q, without_accidental_hits=without_hits))
    loss = model.compute_loss(BATCH).numpy()
    assert loss == pytest.approx(_expected(model, log_q, without_hits), rel=1e-4)


def test_the_variants_have_different_losses():
    losses = {
        round(float(_model(Variant("", log_q=q, without_accidental_hits=h)).compute_loss(BATCH)), 5)
        for q, h in itertools.product([True, False], repeat=2)
    }
    assert len(losses) == 4


def test_new_items_count_once_per_user_who_consumed_them():
    lists = np.array([[3, 1], [1, 4], [2, 1]])
    answers = [np.array([3, 4]), np.array([1, 4]), np.array([2])]
    counts = np.array([0, 5, 1, 0, 0])  # items 3 and 4 are new: 2 of 3 are hits
    result = quality_variant.new_items_recall(lists, answers, counts)
    assert result == {"new_items_recall@100": pytest.approx(2 / 3)}


def test_without_new_items_there_is_no_recall_of_them():
    lists, answers = np.array([[1, 2]]), [np.array([2])]
    assert quality_variant.new_items_recall(lists, answers, np.array([0, 3, 1])) == {}
