import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trainer.metrics.paired_test import adjust_by_holm, compute_p_value, measure_paired


def test_mean_and_standard_error_by_hand():
    """Differences -1, 0, 1, 2: mean 0.5, variance (2.25 + 0.25 + 0.25 + 2.25) / 3 = 5 / 3."""
    paired = measure_paired(np.array([0.0, 1, 2, 3]), np.array([1.0, 1, 1, 1]))
    assert paired.value == pytest.approx(0.5)
    assert paired.standard_error == pytest.approx((5 / 3 / 4) ** 0.5)
    half = 3.182446 * (5 / 12) ** 0.5  # Student's t, 3 degrees of freedom, from a table
    assert (paired.low, paired.high) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half))


@given(st.integers(0, 1000), st.integers(3, 60))
def test_the_p_value_is_that_of_the_paired_t_test(seed, users):
    rng = np.random.default_rng(seed)
    ours, theirs = rng.random(users), rng.random(users)
    paired = measure_paired(ours, theirs)
    _, expected = stats.ttest_rel(ours, theirs, alternative="less")
    assert compute_p_value(paired.value, paired.standard_error, users) == pytest.approx(expected)


def test_equal_differences_are_certain():
    assert compute_p_value(-0.1, 0.0, 60) == 0
    assert compute_p_value(0.0, 0.0, 60) == 1
    assert compute_p_value(0.1, 0.0, 60) == 1


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ([], []),
        ([0.02], [0.02]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # Holm: 4, 3, 2 and 1 times
        ([0.01, 0.011, 0.9], [0.03, 0.03, 0.9]),  # never less than a smaller one's
        ([0.6, 0.7], [1.0, 1.0]),
    ],
)
def test_holm_by_hand(received, expected):
    assert adjust_by_holm(received) == pytest.approx(expected)
