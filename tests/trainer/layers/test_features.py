import numpy as np
import pytest
import tensorflow as tf

from trainer.layers.features import FeatureEncoder, FeatureSpec, average_known, encode_time_of_week


def test_numbers_pass_and_indices_become_embeddings():
    encoder = FeatureEncoder(
        [
            FeatureSpec("price", "number", 1),
            FeatureSpec("cover", "vector", 2),
            FeatureSpec("genre", "category", 3),
            FeatureSpec("tags", "set", 4),
        ],
        width=5,
    )
    inputs = {
        "price": tf.constant([0.5, -1.0]),
        "cover": tf.constant([[1.0, 2.0], [3.0, 4.0]]),
        "genre": tf.constant([3, 0]),
        "tags": tf.constant([[1, 4, 0], [0, 0, 0]]),
    }
    encoded = encoder(inputs, tf.zeros([2])).numpy()
    assert encoded.shape == (2, 1 + 2 + 5 + 5)
    np.testing.assert_allclose(encoded[:, :3], [[0.5, 1, 2], [-1, 3, 4]])
    tables = {v.name.split("_embedding")[0].split("/")[-1]: v.numpy() for v in encoder.variables}
    assert tables["genre"].shape == (4, 5)  # three values and the unknown one
    np.testing.assert_allclose(encoded[:, 3:8], tables["genre"][[3, 0]], rtol=1e-6)
    np.testing.assert_allclose(encoded[0, 8:], tables["tags"][[1, 4]].mean(axis=0), rtol=1e-5)
    assert not encoded[1, 8:].any()


def test_nothing_declared_is_one_column_of_zeros():
    encoder = FeatureEncoder([], width=5)
    encoded = encoder({}, tf.ones([3, 4], tf.int32)).numpy()
    assert encoded.shape == (3, 4, 1)
    assert not encoded.any()


def test_the_width_of_a_vector_is_known_if_a_batch_fixes_only_its_rank():
    encoder = FeatureEncoder([FeatureSpec("cover", "vector", 2)], width=5)
    dense = tf.keras.layers.Dense(3)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32)])
    def project(cover):
        return dense(encoder({"cover": cover}, cover[:, 0]))

    assert project(tf.ones([4, 2])).shape == (4, 3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        project(tf.ones([4, 3]))


def test_mean_of_known_skips_index_zero():
    vectors = tf.constant([[[2.0], [4.0], [100.0]], [[9.0], [9.0], [9.0]]])
    known = average_known(vectors, tf.constant([[5, 1, 0], [0, 0, 0]]))
    assert known.numpy().tolist() == [[3.0], [0.0]]


def test_time_of_week_by_hand():
    # the epoch is a midnight; a quarter of a day, and a quarter of a week (1.75 days) later
    time_of_week = encode_time_of_week(tf.constant([0, 21_600, 151_200], tf.int64)).numpy()
    np.testing.assert_allclose(time_of_week[0], [0, 1, 0, 1], atol=1e-6)
    np.testing.assert_allclose(
        time_of_week[1], [1, 0, np.sin(2 * np.pi / 28), np.cos(2 * np.pi / 28)], atol=1e-6
    )
    np.testing.assert_allclose(time_of_week[2], [-1, 0, 1, 0], atol=1e-5)
