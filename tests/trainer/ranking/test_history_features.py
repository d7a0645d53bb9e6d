import numpy as np
import tensorflow as tf

from trainer.ranking.history_features import (
    RecentSimilarity,
    count_occurrences,
    select_latest_known,
)

VECTORS = np.array([[0, 0], [1, 0], [0, 2], [3, 3], [-1, 0], [0, -4], [1, 0], [1, 0]], np.float32)


def _similarity(history, candidates):
    result = RecentSimilarity()(
        tf.constant(VECTORS), tf.constant([history], tf.int32), tf.constant([candidates], tf.int32)
    )
    return result.numpy()[0]


def test_the_latest_five_known_items_the_latest_first():
    history = tf.constant([[1, 2, 3, 0, 4, 5, 6, 0], [0, 7, 0, 0, 0, 3, 0, 0], [0] * 8])
    assert select_latest_known(history).numpy().tolist() == [
        [6, 5, 4, 3, 2],
        [3, 7, 0, 0, 0],
        [0] * 5,
    ]
    assert select_latest_known(tf.zeros([2, 0], tf.int32)).numpy().tolist() == [[0] * 5] * 2


def test_cosines_by_hand():
    """After 1 = (1, 0), then 3 = (1, 1) / sqrt 2. Candidate 2 = (0, 1), candidate 4 = (-1, 0)."""
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        _similarity([1, 3], [2, 4]),
        [[half, half, half / 2], [-half, -half, (-1 - half) / 2]],
        atol=1e-6,
    )


def test_unknown_items_in_a_history_are_passed_over():
    np.testing.assert_allclose(_similarity([0, 1, 0, 3, 0, 0], [2]), _similarity([1, 3], [2]))


def test_only_five_count():
    # 4 = (-1, 0) is sixth from the end; five times (1, 0) after it
    np.testing.assert_allclose(_similarity([4, 1, 6, 7, 1, 6], [1]), [[1, 1, 1]], atol=1e-6)


def test_without_history_or_candidate_all_is_zero():
    assert _similarity([0, 0], [1, 2]).tolist() == [[0, 0, 0]] * 2
    assert _similarity([], [1]).tolist() == [[0, 0, 0]]
    assert _similarity([1], [0]).tolist() == [[0, 0, 0]]


def test_occurrences_in_the_history_are_counted():
    history = tf.constant([[0, 0, 3, 5, 3], [0, 0, 0, 0, 0]])
    counts = count_occurrences(history, tf.constant([[3, 5, 7, 0], [3, 5, 7, 0]]))
    expected = [[np.log(3), np.log(2), 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(counts, expected, rtol=1e-6)
