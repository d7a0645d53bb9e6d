"""Accuracy metrics of ranked lists, weighted by the inverse propensity of their relevant items
(SNIPS: self-normalised inverse propensity scoring).

An item that the old system seldom showed has fewer interactions than users who would like it; each
of its interactions stands for the others that could not happen (Schnabel et al., Recommendations as
treatments, ICML 2016; Yang et al., Unbiased offline recommender evaluation for
missing-not-at-random implicit feedback, RecSys 2018). Dividing by the sum of the weights instead of
their expectation adds a small bias and removes much variance (Swaminathan and Joachims, The
self-normalized estimator for counterfactual learning, NIPS 2015).

All functions share their arguments: `user` [a] is the user (0 to `users` - 1) of each of `a`
relevant items, ascending, and every user has one; `weight` [a] is the items' weight.
"""

import numpy as np

CLIP = 10.0
"""The greatest weight of a relevant item; 1 is the weight of the median one."""


def compute_weights(propensity: np.ndarray) -> np.ndarray:
    """[a] in (0, 1] -> [a] inverse propensities relative to that of the median propensity, at most
    `CLIP`.

    Clipping bounds the variance, and biases towards the plain metric (Ionides, Truncated importance
    sampling, Journal of Computational and Graphical Statistics 2008). Since metrics are divided by
    the sum of weights, their scale is arbitrary: it only gives the bound a meaning.
    """
    return np.minimum(np.median(propensity) / propensity, CLIP)


def average_by_user(user: np.ndarray, weight: np.ndarray, users: int) -> np.ndarray:
    """[users] mean weight of each user's relevant items, the user's own weight: a user counts as
    much as in the plain metric if all propensities are equal.
    """
    return np.bincount(user, weight, users) / np.bincount(user, minlength=users)


def compute_snips_recall(
    user: np.ndarray, weight: np.ndarray, ranks: np.ndarray, k: int, users: int
) -> np.ndarray:
    """[users] the user's weight times the weighted share of relevant items among the first k;
    `ranks` [a] are from 1, 0 if the item is not listed.

    The metric is the sum over users divided by the sum of the users' weights.
    """
    hit = (ranks > 0) & (ranks <= k)
    return average_by_user(user, weight * hit, users)


def compute_snips_ndcg(
    user: np.ndarray, weight: np.ndarray, ranks: np.ndarray, k: int, users: int
) -> np.ndarray:
    """[users] the user's weight times NDCG with the weights as gains, as `compute_snips_recall`.

    The ideal list has the relevant items by descending weight.
    """
    order = np.lexsort((-weight, user))
    first = np.searchsorted(user, np.arange(users))
    best = np.empty(len(user), np.int64)
    best[order] = np.arange(len(user)) - first[user] + 1
    gained = np.bincount(user, weight * _compute_discounts(ranks, k), users)
    ideal = np.bincount(user, weight * _compute_discounts(best, k), users)
    return average_by_user(user, weight, users) * gained / ideal


def _compute_discounts(ranks: np.ndarray, k: int) -> np.ndarray:
    """1 / log2(rank + 1) of ranks from 1 to k, 0 of others."""
    return ((ranks > 0) & (ranks <= k)) / np.log2(np.maximum(ranks, 1) + 1)
