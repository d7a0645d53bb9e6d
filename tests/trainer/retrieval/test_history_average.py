import numpy as np
import tensorflow as tf

from trainer.retrieval.towers import average_known_before


def test_mean_before_by_hand():
    vectors = tf.constant([[[2.0], [50.0], [4.0], [9.0]]])
    mean = average_known_before(vectors, tf.constant([[True, False, True, True]]))
    np.testing.assert_allclose(mean.numpy(), [[[0], [2], [2], [3]]])
