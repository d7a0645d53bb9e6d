"""What comes of a choice: the device it was made on, whether the item was bought, how it was rated.

With a = user.taste · item.taste and p = the standardised logarithm of the price:
    P(purchase) = sigmoid(-0.8 + 3 (a - 0.6) - thrift · p)
    rating      = 3.5 + 1.6 (a - 0.6) + 0.45 quality + noise of deviation 0.5, in halves from 1 to 5
"""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.catalogue import Catalogue
from pipeline.simulator.users import Users

_USUAL_AFFINITY = 0.6


@dataclass(frozen=True)
class Outcomes:
    """One value an event."""

    device: np.ndarray
    """Index into `words.DEVICES`."""
    purchase: np.ndarray
    """1 when bought, else 0."""
    rating: np.ndarray
    """1.0, 1.5 … 5.0."""


def draw_outcomes(
    rng: np.random.Generator, catalogue: Catalogue, users: Users, who: np.ndarray, what: np.ndarray
) -> Outcomes:
    """Outcomes of the events of users `who` [n] on items `what` [n]."""
    liking = np.einsum("nd,nd->n", users.taste[who], catalogue.taste[what]) - _USUAL_AFFINITY
    odds = -0.8 + 3.0 * liking - users.thrift[who] * _price_level(catalogue)[what]
    stars = 3.5 + 1.6 * liking + 0.45 * catalogue.quality[what]
    stars += 0.5 * rng.standard_normal(len(who))
    return Outcomes(
        device=_draw_devices(rng, users.device[who]),
        purchase=(rng.random(len(who)) < 1 / (1 + np.exp(-odds))).astype(np.int64),
        rating=np.clip(np.round(2 * stars) / 2, 1.0, 5.0),
    )


def _price_level(catalogue: Catalogue) -> np.ndarray:
    log_price = np.log(catalogue.price)
    return (log_price - log_price.mean()) / log_price.std()


def _draw_devices(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    passed = rng.random((len(shares), 1)) > np.cumsum(shares, axis=1)[:, :-1]
    return passed.sum(axis=1)
