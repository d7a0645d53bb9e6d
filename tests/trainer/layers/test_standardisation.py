import numpy as np

from trainer.layers.features import Standardisation


def test_mean_and_deviation_of_the_sample():
    layer = Standardisation()
    layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]], np.float32))
    np.testing.assert_allclose(layer(np.array([[2.0, 40.0]], np.float32)), [[0, 2]], atol=1e-5)


def test_a_constant_feature_stays_zero():
    """Popularity is zero throughout training, as in the first days of a log, and positive when
    served.
    """
    layer = Standardisation()
    layer.adapt(np.array([[0.0, 5.0, 1.0], [0.0, 5.0, 2.0]], np.float32))
    outputs = layer(np.array([[4.0, 1e6, 2.0]], np.float32)).numpy()
    np.testing.assert_allclose(outputs, [[0, 0, 1]], atol=1e-5)


def test_features_are_unchanged_until_adapted():
    values = np.array([[1.0, -2.0]], np.float32)
    np.testing.assert_array_equal(Standardisation()(values), values)
