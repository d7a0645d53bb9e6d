import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.metrics.calibration import compute_calibration_error, compute_reliability


def test_ten_bins_of_equal_mass_by_hand():
    """Twenty events at .00, .01, … .19, two per bin; the outcome of every second one is 1."""
    predicted = np.arange(20) / 100
    bins = compute_reliability(predicted[::-1], np.arange(20)[::-1] % 2)
    assert [each["events"] for each in bins] == [2] * 10
    assert bins[1] == pytest.approx(
        {"low": 0.02, "high": 0.03, "predicted": 0.025, "observed": 0.5, "events": 2}
    )
    # the mean prediction is .095, and each bin is below .5
    assert compute_calibration_error(bins) == pytest.approx(0.5 - 0.095)


def test_bins_are_weighed_by_their_events():
    """Eleven events in ten bins: the first has two."""
    predicted = np.array([0.2, 0.2] + [0.5] * 9)
    outcomes = np.array([1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    bins = compute_reliability(predicted, outcomes)
    assert [each["events"] for each in bins] == [2] + [1] * 9
    assert compute_calibration_error(bins) == pytest.approx((2 * 0.8 + 9 * 0.5) / 11)


def test_calibrated_probabilities_have_almost_no_error():
    rng = np.random.default_rng(0)
    predicted = rng.random(200_000)
    outcomes = (rng.random(len(predicted)) < predicted).astype(float)
    true = compute_reliability(predicted, outcomes)
    assert compute_calibration_error(true) < 0.01
    # log odds twice as large as they should be: |sigmoid(2 z) - sigmoid(z)| on average is .09
    odds = (predicted / (1 - predicted)) ** 2
    sure = compute_reliability(odds / (1 + odds), outcomes)
    expected = np.mean(np.abs(odds / (1 + odds) - predicted))
    assert compute_calibration_error(sure) == pytest.approx(expected, abs=0.01)


def test_no_event_has_no_bin():
    assert compute_reliability(np.zeros(0), np.zeros(0)) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_all_events_are_in_a_bin_and_the_error_is_one_at_most(events):
    predicted = np.array([value for value, _ in events])
    outcomes = np.array([float(outcome) for _, outcome in events])
    bins = compute_reliability(predicted, outcomes)
    assert sum(each["events"] for each in bins) == len(events)
    assert len(bins) == min(10, len(events))
    assert all(a["high"] <= b["low"] for a, b in itertools.pairwise(bins))
    assert 0 <= compute_calibration_error(bins) <= 1
