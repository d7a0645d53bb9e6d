"""The best that any method could reach on the simulated test period, and what popularity reaches.

What the oracle knows: every user's taste, every item's taste, popularity, birth and life curve
(also of the items that are born after the cut), which days of the test period are busy, and what
each user chose before the cut. What it does not know: the dice, and when in the test period a given
user comes. It ranks a user's unseen items by the choice probability, averaged over the test period:

    s(u, i) = sum over test days d of share(d) · P(i | u, d)

with P the softmax over what is alive on day d and unseen at the cut.

Why that bounds: users never choose an item twice, so the number of a user's relevant items does not
depend on which they are, and both Recall@K and NDCG@K are, given that number, a sum over items of
(item is relevant) · (weight that falls with the rank). The expectation of such a sum is greatest
when items stand in the order of their probability of being relevant, and no method knows more of
that than the world's own parameters. Two things are not exact. A user with several test events
draws without replacement on changing days; by s the order is that of the choice rates, not of the
exact inclusion probabilities, a difference of second order. And the numbers are those of one throw
of the dice, not expectations: a method may pass them by luck, by about the standard error over the
users.
"""

import numpy as np

from pipeline.simulator.catalogue import Catalogue
from pipeline.simulator.choices import day_weights
from pipeline.simulator.protocol import Scorer
from pipeline.simulator.users import Users
from pipeline.simulator.world import STRENGTH


def oracle(catalogue: Catalogue, users: Users, test_days: np.ndarray) -> Scorer:
    """Ranks by the true choice probability; `test_days` [test events] is each event's day."""
    days, counts = np.unique(test_days, return_counts=True)
    share = counts / counts.sum()
    weights = np.stack([day_weights(catalogue, int(day)) for day in days])

    def expected_choice(who: np.ndarray, seen: np.ndarray) -> np.ndarray:
        match = np.exp(STRENGTH * (users.taste[who] @ catalogue.taste.T - 1))
        match[seen] = 0.0
        return match * ((share / (match @ weights.T)) @ weights)

    return expected_choice


def all_time_popularity(history_items: np.ndarray, items: int) -> Scorer:
    """Ranks by the number of events before the cut; of equal items the lower number is first."""
    order = np.argsort(-np.bincount(history_items, minlength=items), kind="stable")
    scores = np.empty(items)
    scores[order] = np.arange(items, 0, -1)

    def popularity(who: np.ndarray, seen: np.ndarray) -> np.ndarray:
        return np.broadcast_to(scores, seen.shape)

    return popularity
