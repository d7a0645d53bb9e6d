import numpy as np

from trainer.ranking.bias_baseline import fit_biases


def test_biases_are_shrunk_by_five_average_ratings():
    user = np.array([1, 1, 2])
    item = np.array([1, 2, 1])
    baseline = fit_biases(user, item, np.array([5.0, 3.0, 1.0]), users=4, items=4)
    assert baseline.mean == 3.0
    # item 1: residuals 2 and -2; item 2: residual 0; item 3 has none
    np.testing.assert_allclose(baseline.items, [0, 0, 0, 0])
    # user 1: residuals 2 and 0 over 2 + 5; user 2: residual -2 over 1 + 5
    np.testing.assert_allclose(baseline.users, [0, 2 / 7, -2 / 6, 0])
    np.testing.assert_allclose(
        baseline.predict(np.array([1, 2, 3]), np.array([1, 3, 1])), [3 + 2 / 7, 3 - 2 / 6, 3]
    )


def test_user_biases_are_fitted_to_the_residuals_of_items():
    baseline = fit_biases(
        np.array([1, 2, 1]), np.array([1, 1, 2]), np.array([4.0, 4.0, 1.0]), users=3, items=3
    )
    # mean 3; item 1: (1 + 1) / 7; item 2: -2 / 6
    np.testing.assert_allclose(baseline.items, [0, 2 / 7, -1 / 3])
    # user 1: ((1 - 2/7) + (-2 + 1/3)) / 7; user 2: (1 - 2/7) / 6
    np.testing.assert_allclose(baseline.users, [0, (5 / 7 - 5 / 3) / 7, (5 / 7) / 6])


def test_the_unknown_index_has_no_bias():
    baseline = fit_biases(
        np.array([0, 1]), np.array([0, 1]), np.array([10.0, 0.0]), users=2, items=2
    )
    assert baseline.items[0] == 0
    assert baseline.users[0] == 0
    assert baseline.predict(np.array([0]), np.array([0])).tolist() == [5.0]
