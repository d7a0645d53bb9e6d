"""Heads of a planted network are calibrated on held-out events."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from schema.labels import RankingLabel
from trainer.ranking.examples import RankingExamples, balance_examples
from trainer.ranking.export import fit_calibration

LABELS = {
    "bought": RankingLabel(column="bought", kind="binary", at_least=2),
    "clicked": RankingLabel(column="clicked", kind="binary"),
    "rating": RankingLabel(column="rating", kind="regression"),
}


def _network(inputs):
    """The logit of every label is the candidate's number minus ten."""
    logit = tf.cast(inputs["candidates"], tf.float32) - 10
    return dict.fromkeys(("relevance", *LABELS), logit)


def _examples(events):
    """`bought` is positive with probability sigmoid(logit / 2) or unknown, `clicked` always
    positive.
    """
    rng = np.random.default_rng(4)
    item = rng.integers(5, 16, (events, 1)).astype(np.int32)
    bought = np.where(rng.random(events) < expit((item[:, 0] - 10) / 2), 2, 1).astype(np.float32)
    bought[::10] = np.nan
    return RankingExamples(
        query={},
        candidates=item,
        log_popularity=np.zeros_like(item, np.float32),
        labels={"bought": bought, "clicked": np.ones(events), "rating": item[:, 0] / 4},
        event=np.arange(events),
    )


def test_only_binary_labels_of_both_outcomes_are_scaled():
    calibration = fit_calibration(_network, LABELS, _examples(50_000))
    assert list(calibration) == ["bought"]
    assert calibration["bought"].slope == pytest.approx(0.5, abs=0.03)
    assert calibration["bought"].intercept == pytest.approx(0, abs=0.05)


def test_without_held_out_events_there_is_no_scaling():
    assert fit_calibration(_network, LABELS, _examples(0)) == {}


@pytest.mark.parametrize(
    ("labelled", "listwise", "sizes"),
    [(900, 100, [900, 100]), (2_700, 100, [2_700, 100, 100, 100]), (0, 50, [50]), (5, 50, [5, 50])],
)
def test_an_epoch_has_a_tenth_of_contests_at_least(labelled, listwise, sizes):
    learned = balance_examples(_examples(labelled), _examples(listwise))
    assert [len(examples) for examples in learned] == sizes
