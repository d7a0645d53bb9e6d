import numpy as np
import pytest

from trainer.metrics import confidence
from trainer.metrics.confidence import Interval

USERS = 400


@pytest.fixture(scope="module")
def theirs():
    """Easy and hard users: nearly all of the spread is between users."""
    return np.random.default_rng(2).random(USERS)


def test_pairing_shows_what_two_intervals_side_by_side_hide(theirs):
    ours = theirs + 0.01 + 0.02 * np.random.default_rng(3).standard_normal(USERS)
    paired = confidence.compare_paired({"m": ours}, {"m": theirs, "more": theirs}, seed=1)["m"]
    assert paired.value == pytest.approx((ours - theirs).mean())
    assert paired.verdict == "better"
    assert 0 < paired.low < paired.value < paired.high < 0.02
    alone = confidence.compute_mean_intervals({"ours": ours, "theirs": theirs}, seed=1)
    assert alone["ours"].low < alone["theirs"].high  # they overlap


def test_the_reverse_is_worse(theirs):
    paired = confidence.compare_paired({"m": theirs}, {"m": theirs + 0.01}, seed=1)["m"]
    assert (paired.value, paired.verdict) == (pytest.approx(-0.01), "worse")


def test_the_same_lists_are_inside_the_noise(theirs):
    paired = confidence.compare_paired({"m": theirs}, {"m": theirs}, seed=1)["m"]
    assert (paired.value, paired.low, paired.high, paired.users) == (0, 0, 0, USERS)
    assert paired.verdict == "inside the noise"


def test_equally_good_lists_rarely_differ_significantly(theirs):
    """A verdict is wrong in 5 of 100 cases."""
    rng = np.random.default_rng(4)
    verdicts = []
    for seed in range(200):
        ours = theirs + rng.standard_normal(USERS)
        verdicts.append(confidence.compare_paired({"m": ours}, {"m": theirs}, seed)["m"].verdict)
    assert 1 <= sum(verdict != "inside the noise" for verdict in verdicts) <= 20  # 10 expected


@pytest.mark.parametrize(
    ("low", "high", "users", "expected"),
    [
        (0.1, 0.3, 50, "better"),
        (-0.3, -0.1, 50, "worse"),
        (-0.1, 0.1, 50, "inside the noise"),
        (0.0, 0.1, 50, "inside the noise"),
        (-0.1, 0.0, 50, "inside the noise"),
        (0.1, 0.3, 49, "too few users"),
    ],
)
def test_verdicts(low, high, users, expected):
    assert confidence.decide_verdict(Interval((low + high) / 2, low, high), users) == expected
