"""The fitted weights against choices whose maximum likelihood is known, and the layer."""

import numpy as np
import pytest

from trainer.ranking.relevance_start import RelevanceStart, fit_conditional_logit

ALL = np.ones((4, 2), bool)


def choices(chosen, others):
    """One feature of the chosen item, and of the others, of each row."""
    return np.column_stack([chosen, others])[..., np.newaxis].astype(np.float32)


def test_three_of_four_choices_give_the_log_odds():
    features = choices([1, 1, 1, 0], [0, 0, 0, 1])
    assert fit_conditional_logit(features, ALL) == pytest.approx([np.log(3)], rel=0.01)


def test_a_score_that_speaks_against_the_choice_has_no_weight():
    assert fit_conditional_logit(choices([0, 0, 0, 1], [1, 1, 1, 0]), ALL) == [0]


def test_a_constant_score_has_no_weight():
    features = np.concatenate([choices([1, 1, 1, 0], [0, 0, 0, 1]), np.full((4, 2, 1), 5.0)], -1)
    assert fit_conditional_logit(features, ALL) == pytest.approx([np.log(3), 0], rel=0.01)


def test_an_empty_position_does_not_count():
    features = choices([1, 1, 1, 0], [[0, 90], [0, -3], [0, 0], [1, 8]])
    is_item = np.array([[True, True, False]] * 4)
    assert fit_conditional_logit(features, is_item) == pytest.approx([np.log(3)], rel=0.01)


def test_the_weight_of_a_row_is_that_of_as_many_rows():
    features = choices([1, 0], [0, 1])
    fitted = fit_conditional_logit(features, ALL[:2], np.array([3.0, 1.0]))
    assert fitted == pytest.approx([np.log(3)], rel=0.01)


def test_planted_weights_are_recovered_from_uniform_samples_of_the_alternatives():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(4000, 60, 2)).astype(np.float32)
    noise = rng.gumbel(size=(4000, 60))
    chosen = np.argmax(features @ [1.5, 0.5] + noise, axis=1)
    rows = np.arange(len(chosen))
    shift = rng.permuted(np.tile(np.arange(1, 60), (4000, 1)), axis=1)[:, :12]
    sampled = np.column_stack([chosen, (chosen[:, np.newaxis] + shift) % 60])
    features = features[rows[:, np.newaxis], sampled]
    fitted = fit_conditional_logit(features, np.ones(sampled.shape, bool))
    np.testing.assert_allclose(fitted, [1.5, 0.5], rtol=0.1)


def test_the_layer_is_retrievals_score_until_it_is_fitted():
    start = RelevanceStart()
    features = np.concatenate([choices([1, 1, 1, 0], [0, 0, 0, 1]), np.full((4, 2, 1), 7.0)], -1)
    np.testing.assert_array_equal(start(features), features[..., 0])
    start.fit(features.astype(np.float32), ALL, None)
    np.testing.assert_allclose(start(features)[3], [0, np.log(3)], rtol=0.01, atol=1e-6)
