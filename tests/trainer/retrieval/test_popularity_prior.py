import numpy as np
import pytest
import tensorflow as tf

from trainer.data.popularity import PopularitySnapshots
from trainer.retrieval.model import PopularityPrior

DAY = 86_400
POPULARITY = np.array([[0, 0, 0], [0, 1, 2], [0, 3, 4]], np.float32)


@pytest.fixture
def present():
    return PopularityPrior(
        PopularitySnapshots(np.array([DAY, 2 * DAY, 3 * DAY]), POPULARITY), refresh_days=1
    )


def _product(present, times, training):
    present.weight.assign(0.5)
    queries = present.encode_queries(tf.constant(times, tf.int64), training)
    return (queries @ tf.transpose(present.encode_items(tf.constant([2, 1])))).numpy()


def test_a_query_has_the_latest_popularity_before_it(present):
    times = [DAY, 2 * DAY - 1, 2 * DAY, 9 * DAY]
    expected = 0.5 * np.array([[0, 0], [0, 0], [2, 1], [4, 3]])
    np.testing.assert_allclose(_product(present, times, training=False), expected)


def test_a_time_before_all_moments_meets_the_first(present):
    np.testing.assert_allclose(_product(present, [0], training=False), [[0, 0]])


def test_in_training_it_is_up_to_a_refresh_old(present):
    tf.keras.utils.set_random_seed(1)
    products = _product(present, [2 * DAY + DAY // 4] * 2000, training=True)
    # with probability 1/4 newer than a quarter of a day: then of day 2, otherwise of day 1
    assert set(products[:, 0].tolist()) == {0.0, 1.0}
    assert np.mean(products[:, 0] == 1) == pytest.approx(0.25, abs=0.04)


def test_the_weight_learns_and_popularity_does_not(present):
    with tf.GradientTape() as tape:
        present.weight.assign(1.0)
        queries = present.encode_queries(tf.constant([3 * DAY], tf.int64), training=False)
        score = tf.reduce_sum(queries * present.encode_items(tf.constant([2])))
    assert present.trainable_variables == [present.weight]
    assert tape.gradient(score, present.weight).numpy() == pytest.approx(4.0)
