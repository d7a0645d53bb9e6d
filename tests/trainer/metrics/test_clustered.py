import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trainer.metrics.clustered import compare_clustered


def test_one_period_is_clustered_by_user():
    """Four users with differences 1, 2, 3 and 6: mean 3, squared residuals 4 + 1 + 0 + 9 = 14."""
    result = compare_clustered(np.array([1.0, 2, 3, 6]), np.arange(4), np.zeros(4))
    half = stats.t.ppf(0.975, 3) * np.sqrt(14 * 4 / 3) / 4
    assert result.value == pytest.approx(3)
    assert (result.low, result.high) == pytest.approx((3 - half, 3 + half))
    assert result.users == 4


def test_a_user_counts_once():
    """User 0 has 0 and 4, user 1 has 6: the mean is (2 + 6) / 2."""
    result = compare_clustered(np.array([0.0, 4, 6]), np.array([0, 0, 1]), np.zeros(3))
    assert result.value == pytest.approx(4)


def test_users_of_one_period_are_one_observation():
    """Three periods with the mean differences 0, 3 and 6, the same for all their users: only the
    periods count, so that the squared sums of residuals are 100² × 9, 0 and 100² × 9.
    """
    period = np.repeat([0, 1, 2], 100)
    differences = np.repeat([0.0, 3, 6], 100)
    result = compare_clustered(differences, np.arange(300), period)
    half = stats.t.ppf(0.975, 2) * np.sqrt(2 * 100**2 * 9 * 3 / 2) / 300
    assert (result.low, result.high) == pytest.approx((3 - half, 3 + half), rel=1e-4)
    assert result.verdict == "inside the noise"  # as independent users it would be `better`


@given(st.integers(0, 1000))
def test_more_periods_with_the_same_difference_are_more_certain(seed):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(16, 60)) * 0.1

    def width(periods):
        differences = (noise[:periods] + np.tile([0.5, 1.5], 8)[:periods, np.newaxis]).ravel()
        result = compare_clustered(
            differences, np.arange(60 * periods), np.repeat(np.arange(periods), 60)
        )
        return result.high - result.low

    assert width(16) < width(8) < width(4)


def test_a_single_observation_says_nothing():
    result = compare_clustered(np.array([1.0]), np.zeros(1), np.zeros(1))
    assert (result.value, result.low, result.high) == (1, 1, 1)
    assert result.verdict == "too few users"
