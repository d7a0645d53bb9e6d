import logging

import numpy as np
import pytest
import tensorflow as tf

from schema.errors import TandemError
from trainer import retrieval_training
from trainer.catalogue import Catalogue
from trainer.config import RetrievalConfig
from trainer.retrieval_model import RetrievalModel
from trainer.towers import CandidateTower, QueryTower

CONFIG = RetrievalConfig(
    embedding_dim=8, epochs=4, positions_per_batch=256, uniform_negatives=16, learning_rate=0.02
)


@pytest.fixture(scope="module")
def chains(timelines_of):
    """Item n is always followed by item n + 1 (of 8, in a circle): there is much to learn."""
    rows = []
    for user in range(64):
        items = [(user + step) % 8 + 1 for step in range(12)]
        rows.append((b"u%d" % user, user % 5, items, [86_400 * step for step in range(12)], 1))
    return timelines_of(rows)


def _model():
    tf.keras.utils.set_random_seed(4)
    ids = np.array([b"", *(b"%d" % n for n in range(1, 9))], object)
    frequency = np.array([0.0] + [1 / 8] * 8)
    candidate = CandidateTower(Catalogue(ids, ids, {}), [], frequency > 0, CONFIG)
    return RetrievalModel(QueryTower(5, [], [], CONFIG), candidate, frequency, CONFIG)


def test_training_lowers_the_loss_and_reports_each_epoch(chains, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="tandem.progress"):
        history = retrieval_training.fit(_model(), chains, chains, CONFIG, 1, str(tmp_path))
    assert history["val_loss"][-1] < history["val_loss"][0]
    lines = [r.getMessage() for r in caplog.records if r.name == "tandem.progress"]
    assert len(lines) == len(history["loss"])
    assert lines[0].startswith("epoch=1 of=4 loss=")
    assert list(tmp_path.rglob("events.out.tfevents*"))


def test_two_looks_at_the_validation_data_are_the_same(chains):
    dataset, steps = retrieval_training._dataset(_model(), chains, CONFIG, None)
    first, second = ([b["negatives"].numpy() for b in dataset] for _ in range(2))
    assert len(first) == steps
    np.testing.assert_array_equal(np.stack(first), np.stack(second))
    assert np.stack(first).min() >= 1
    assert np.stack(first).max() <= 8


def test_a_loss_that_is_no_number_stops_with_a_plain_sentence():
    with pytest.raises(TandemError, match=r"finite training loss, received nan in epoch 3; lower"):
        retrieval_training.Progress(5).on_epoch_end(2, {"loss": float("nan"), "val_loss": 1.0})
