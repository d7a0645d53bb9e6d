import fractions
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.metrics import confidence

LOTS = 4_000


def test_values_that_are_all_the_same_have_no_width():
    mean_intervals = confidence.compute_mean_intervals({"a": np.full(30, 0.25)}, seed=1)["a"]
    assert (mean_intervals.value, mean_intervals.low, mean_intervals.high) == pytest.approx(
        (0.25, 0.25, 0.25)
    )


def test_two_users_are_drawn_with_replacement():
    # both are the same one in half of the resamples: a quarter each is at 0 and at 1
    drawn = confidence.resample_means(np.array([[0.0], [1.0]]), seed=1)[:, 0]
    assert drawn.shape == (confidence.RESAMPLES,)
    assert set(drawn.tolist()) == {0.0, 0.5, 1.0}
    for value, share in ((0.0, 0.25), (0.5, 0.5), (1.0, 0.25)):
        assert (drawn == value).mean() == pytest.approx(share, abs=0.06)  # 4 standard errors
    mean_intervals = confidence.compute_mean_intervals({"a": np.array([0.0, 1.0])}, seed=1)["a"]
    assert (mean_intervals.value, mean_intervals.low, mean_intervals.high) == (0.5, 0.0, 1.0)


def test_of_many_users_it_is_the_normal_interval():
    values = np.arange(LOTS) < LOTS / 4
    mean_intervals = confidence.compute_mean_intervals({"a": values}, seed=1)["a"]
    half = 1.96 * np.sqrt(0.25 * 0.75 / LOTS)
    assert mean_intervals.value == 0.25
    assert mean_intervals.low == pytest.approx(0.25 - half, abs=0.1 * half)
    assert mean_intervals.high == pytest.approx(0.25 + half, abs=0.1 * half)


def test_95_of_100_intervals_hold_the_truth():
    rng = np.random.default_rng(7)
    covered = 0
    for seed in range(200):
        mean_intervals = confidence.compute_mean_intervals({"a": rng.random(200)}, seed)["a"]
        covered += mean_intervals.low <= 0.5 <= mean_intervals.high
    assert 180 <= covered <= 199  # 190 expected, standard deviation 3


def test_the_seed_decides():
    values = {"a": np.random.default_rng(3).random(100)}
    assert confidence.compute_mean_intervals(values, 1) == confidence.compute_mean_intervals(
        values, 1
    )
    assert confidence.compute_mean_intervals(values, 1) != confidence.compute_mean_intervals(
        values, 2
    )


def test_columns_share_their_draws():
    first = np.random.default_rng(3).random(100)
    drawn = confidence.resample_means(np.column_stack([first, first + 2]), seed=1)
    np.testing.assert_allclose(drawn[:, 1] - drawn[:, 0], 2)


def test_more_users_than_one_block(monkeypatch):
    monkeypatch.setattr(confidence, "_DRAWS", 350)  # 3 resamples of 100 users at a time
    drawn = confidence.resample_means(np.ones((100, 1)), seed=1)
    assert drawn.shape == (confidence.RESAMPLES, 1)
    np.testing.assert_allclose(drawn, 1)  # every user drawn counts once


def test_a_ratio_counts_relevant_items_and_draws_users():
    results, relevant = np.array([2.0, 0.0]), np.array([2.0, 6.0])
    ratio = confidence.compute_ratio_intervals({"a": results}, relevant, seed=1)["a"]
    assert ratio.value == pytest.approx(2 / 8)  # not the mean over users, (1 + 0) / 2
    assert (ratio.low, ratio.high) == pytest.approx((0.0, 1.0))


def test_very_many_users_are_drawn_in_blocks_and_none_is_lost():
    users = 4 * LOTS + 7
    values = (np.arange(users) < users / 2).astype(float)  # sorted: blocks must not follow order
    mean_intervals = confidence.compute_mean_intervals({"a": values}, seed=1)["a"]
    half = 1.96 * np.sqrt(0.25 / users)
    assert mean_intervals.value == pytest.approx(values.mean(), abs=1e-12)
    assert mean_intervals.low == pytest.approx(mean_intervals.value - half, abs=0.1 * half)
    assert mean_intervals.high == pytest.approx(mean_intervals.value + half, abs=0.1 * half)


KERNELS = (("Prescott", "1"), ("Haswell", "1"), ("Haswell", "2"), ("SkylakeX", "1"))
PROGRAM = """
import numpy as np
from trainer.metrics import confidence
from trainer.metrics.ranking import compute_ndcg
rng = np.random.default_rng(3)
hit = rng.random((997, 100)) < 0.1
per_user = {"ndcg": compute_ndcg(hit, hit.sum(axis=1) + 1, 100), "any": rng.random(997) / 3}
intervals = confidence.compute_mean_intervals(per_user, seed=1) | {
    "ratio": confidence.compute_ratio_intervals(per_user, rng.random(997) + 0.1, seed=2)["ndcg"]
}
print([float(x).hex() for each in intervals.values() for x in (each.value, each.low, each.high)])
"""


def test_processors_and_threads_leave_no_trace():
    """OpenBLAS uses the kernel of the processor; an environment variable selects another one's."""
    printed = set()
    for kernel, threads in KERNELS:
        environment = os.environ | {"OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", PROGRAM]
        completed = subprocess.run(command, env=environment, capture_output=True, check=False)
        if completed.returncode != -signal.SIGILL:  # the processor lacks the kernel's instructions
            assert completed.returncode == 0, completed.stderr
            printed.add(completed.stdout)
    assert len(printed) == 1


TABLES = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 40), st.integers(1, 3)),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


@given(TABLES, st.randoms(use_true_random=False))
def test_sums_of_rounded_values_are_exact(table, random):
    """Compared with rational numbers, for every multiplicity with which a resample may draw a
    row.
    """
    rounded = confidence._round_to_exact_sums(table)
    drawn = [random.randrange(len(table)) for _ in range(len(table))]
    for column in rounded.T.tolist():
        exact = sum((fractions.Fraction(column[row]) for row in drawn), fractions.Fraction(0))
        assert sum(column[row] for row in drawn) == exact
    slack = np.abs(table).max(axis=0) * len(table) * 2.0**-52
    assert (np.abs(rounded - table) <= slack).all()
