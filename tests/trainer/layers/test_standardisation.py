import numpy as np

from trainer.layers.features import Standardisation


def test_mean_and_deviation_of_the_sample():
    layer = Standardisation()
    layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]], np.float32))
    np.testing.assert_allclose(layer(np.array([[2.0, 40.0]], np.float32)), [[0, 2]], atol=1e-5)


def test_what_never_varied_stays_zero():
    """Popularity of a log that training has seen nothing of yet, and that is there in service."""
    layer = Standardisation()
    layer.adapt(np.array([[0.0, 5.0, 1.0], [0.0, 5.0, 2.0]], np.float32))
    outputs = layer(np.array([[4.0, 1e6, 2.0]], np.float32)).numpy()
    np.testing.assert_allclose(outputs, [[0, 0, 1]], atol=1e-5)


def test_until_adapted_features_stay_as_they_are():
    values = np.array([[1.0, -2.0]], np.float32)
    np.testing.assert_array_equal(Standardisation()(values), values)
