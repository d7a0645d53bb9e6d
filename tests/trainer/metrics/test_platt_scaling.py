import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from trainer.metrics.calibration import PlattScaling, fit_platt_scaling


def fitted(logits, outcomes) -> PlattScaling:
    platt_scaling = fit_platt_scaling(logits, outcomes)
    assert platt_scaling is not None
    return platt_scaling


def test_planted_probabilities_are_recovered():
    """Outcomes are drawn with sigmoid(0.5 x - 1) of logits x that claim sigmoid(x)."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, 200_000)
    outcomes = (rng.random(len(logits)) < expit(0.5 * logits - 1)).astype(float)
    fitted_model = fitted(logits, outcomes)
    assert fitted_model.slope == pytest.approx(0.5, abs=0.02)
    assert fitted_model.intercept == pytest.approx(-1, abs=0.02)


def test_a_constant_logit_gets_the_smoothed_rate():
    """3 of 8, with Platt's targets 4/5 and 1/7: (3 * 4/5 + 5 / 7) / 8."""
    fitted_model = fitted(np.zeros(8), np.array([1, 1, 1, 0, 0, 0, 0, 0]))
    assert expit(fitted_model.intercept) == pytest.approx((3 * 4 / 5 + 5 / 7) / 8, abs=1e-4)


def test_perfect_separation_gives_no_certainty():
    """Platt's targets of two ones are 3/4, of two zeros 1/4: logits of -log 3 and log 3."""
    fitted_model = fitted(np.array([-1.0, -1, 1, 1]), np.array([0, 0, 1, 1]))
    assert fitted_model.slope == pytest.approx(np.log(3), abs=1e-3)
    assert fitted_model.intercept == pytest.approx(0, abs=1e-3)


def test_the_order_is_never_turned_round():
    fitted_model = fitted(np.array([-1.0, -1, 1, 1]), np.array([1, 1, 0, 0]))
    assert fitted_model.slope == 0


@pytest.mark.parametrize("outcomes", [[], [0, 0, 0], [1, 1]])
def test_a_single_outcome_gives_no_calibration(outcomes):
    assert fit_platt_scaling(np.zeros(len(outcomes)), np.array(outcomes)) is None


@given(st.lists(st.tuples(st.floats(-20, 20), st.booleans()), min_size=2, max_size=30))
def test_no_scaling_has_lower_smoothed_loss(events):
    logits = np.array([logit for logit, _ in events])
    outcomes = np.array([float(outcome) for _, outcome in events])
    platt_scaling = fit_platt_scaling(logits, outcomes)
    if platt_scaling is None:
        assert len(set(outcomes)) == 1
        return
    ones, zeros = outcomes.sum(), (1 - outcomes).sum()
    target = np.where(outcomes > 0, (ones + 1) / (ones + 2), 1 / (zeros + 2))

    def loss(slope, intercept):
        z = slope * logits + intercept
        return np.mean(np.logaddexp(0, z) - target * z)

    least = loss(platt_scaling.slope, platt_scaling.intercept)
    for slope, intercept in [
        (1, 0),
        (0, 0),
        (platt_scaling.slope + 0.1, platt_scaling.intercept - 0.1),
    ]:
        assert least <= loss(slope, intercept) + 1e-5
