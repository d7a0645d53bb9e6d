import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.metrics import confidence, snips
from trainer.metrics.ranking import compute_user_metrics

SECOND, THIRD = 1 / np.log2(3), 1 / 2


def test_weights_are_relative_to_the_median_item_and_clipped():
    weights = snips.compute_weights(np.array([0.4, 0.8, 0.2, 0.04, 0.001]))
    assert weights.tolist() == pytest.approx([0.5, 0.25, 1, 5, 10])


def test_metrics_by_hand():
    """User 0 has items with weights 1 and 3, first and third in the list; user 1 has an item with
    weight 4 that is second; user 2 one with weight 2 that is not listed.
    """
    user, weight = np.array([0, 0, 1, 2]), np.array([1.0, 3.0, 4.0, 2.0])
    ranks = np.array([1, 3, 2, 0])
    assert snips.average_by_user(user, weight, 3).tolist() == [2, 4, 2]
    recall = snips.compute_snips_recall(user, weight, ranks, 2, 3)
    assert recall.tolist() == [0.5, 4, 0]
    ndcg = snips.compute_snips_ndcg(user, weight, ranks, 10, 3)
    # the ideal list of user 0 begins with the item of weight 3
    expected = [2 * (1 + 3 * THIRD) / (3 + SECOND), 4 * SECOND, 0]
    assert ndcg.tolist() == pytest.approx(expected)
    only_first = snips.compute_snips_ndcg(user, weight, ranks, 1, 3)
    assert only_first.tolist() == pytest.approx([2 * 1 / 3, 0, 0])


@st.composite
def _lists(draw):
    """Lists of 12 of 20 items, and one to fifteen relevant items for each of several users."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    users = draw(st.integers(1, 6))
    lists = np.stack([rng.permutation(20)[:12] + 1 for _ in range(users)])
    relevant = [np.sort(rng.permutation(20)[: rng.integers(1, 16)] + 1) for _ in range(users)]
    return lists, relevant


def _flatten(lists, relevant):
    user = np.repeat(np.arange(len(lists)), [len(items) for items in relevant])
    ranks = [
        row.tolist().index(item) + 1 if item in row else 0
        for row, items in zip(lists, relevant, strict=True)
        for item in items
    ]
    return user, np.array(ranks)


@given(_lists(), st.floats(0.001, 1))
def test_equal_propensities_give_the_plain_metrics(planted, propensity):
    lists, relevant = planted
    user, ranks = _flatten(lists, relevant)
    weight = snips.compute_weights(np.full(len(user), propensity))
    own = snips.average_by_user(user, weight, len(lists))
    plain = compute_user_metrics(lists, relevant, (10,))
    recall = snips.compute_snips_recall(user, weight, ranks, 10, len(lists))
    ndcg = snips.compute_snips_ndcg(user, weight, ranks, 10, len(lists))
    np.testing.assert_allclose(recall / own, plain["recall@10"])
    np.testing.assert_allclose(ndcg / own, plain["ndcg@10"])


@given(_lists(), st.integers(0, 2**32))
def test_metrics_are_from_0_to_1(planted, seed):
    lists, relevant = planted
    user, ranks = _flatten(lists, relevant)
    weight = snips.compute_weights(np.random.default_rng(seed).uniform(0.001, 1, len(user)))
    own = snips.average_by_user(user, weight, len(lists))
    for k in (1, 10):
        for compute in (snips.compute_snips_recall, snips.compute_snips_ndcg):
            values = compute(user, weight, ranks, k, len(lists)) / own
            assert (values >= 0).all()
            assert (values <= 1 + 1e-9).all()


def test_the_estimate_is_closer_to_the_truth_than_the_plain_one():
    """Half of the users like item 1 and half like item 2, and each click was only possible where
    the old system showed the item: item 1 to .8 of them, item 2 to .2.
    """
    rng = np.random.default_rng(3)
    liked = np.repeat([1, 2], 5_000)
    propensity = np.array([0.0, 0.8, 0.2])
    clicked = liked[rng.random(10_000) < propensity[liked]]
    ranks = (clicked == 1).astype(int)  # the lists hold item 1 only
    user = np.arange(len(clicked))
    weight = snips.compute_weights(propensity[clicked])
    assert np.mean(ranks) == pytest.approx(0.8, abs=0.02)
    hits = snips.compute_snips_recall(user, weight, ranks, 10, len(user))
    assert hits.sum() / weight.sum() == pytest.approx(0.5, abs=0.02)


def test_the_effective_size_by_hand():
    assert confidence.compute_effective_size(np.ones(60)) == 60
    assert confidence.compute_effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)


def test_weighted_differences_are_ratios_and_count_the_effective_users():
    """Ours has 10 points more for each of 60 users with weight 1, and 10 less for ten of weight 10:
    (600 - 1000) / 160; 160² / 1060 is 24 effective users.
    """
    weight = np.array([1.0] * 60 + [10.0] * 10)
    ours = {"m": weight * np.array([10.0] * 60 + [0.0] * 10)}
    theirs = {"m": weight * np.array([0.0] * 60 + [10.0] * 10)}
    difference = confidence.compare_paired(ours, theirs, 1, weight)["m"]
    assert difference.value == pytest.approx(-400 / 160)
    assert (difference.users, difference.verdict) == (24, "too few users")
