"""Life curves: nothing before birth, a rise to the peak, a fall after it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.simulator.catalogue import LifeCurves, draw_life_curves


def _one(birth, lag, height):
    return LifeCurves(np.array([birth]), np.array([lag]), np.array([height]))


def test_trend_by_hand():
    # Born on day 10, noon of day 14 is age 4.5, half of the lag of 9: 2 * 0.5 * e^0.5.
    assert _one(10, 9.0, 2.0).compute_trend(14)[0] == pytest.approx(math.exp(0.5))


def test_the_peak_has_the_height_and_is_at_the_lag():
    curve = [_one(0, 20.5, 3.0).compute_trend(day)[0] for day in range(100)]
    assert curve[20] == pytest.approx(3.0)
    assert max(curve) == curve[20]
    assert curve[:21] == sorted(curve[:21])
    assert curve[20:] == sorted(curve[20:], reverse=True)


def test_nothing_is_alive_before_its_birth():
    newborn = _one(10, 9.0, 2.0)
    assert newborn.compute_trend(9)[0] == -np.inf
    assert newborn.compute_trend(10)[0] > 0


@given(items=st.integers(20, 400), seed=st.integers(0, 100))
def test_more_than_a_tenth_is_born_in_the_last_fifth_and_half_is_there_at_the_start(items, seed):
    birth = draw_life_curves(np.random.default_rng(seed), items).birth
    assert len(birth) == items
    assert (birth >= 96).mean() >= 0.1  # 96 = four fifths of 120 days
    assert (birth < 0).mean() >= 0.5
    assert birth.max() < 120
