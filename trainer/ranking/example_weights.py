"""Weights of ranking's listwise examples by the inverse exposure propensity of their item.

Among items that retrieval returns at its own rates, an item that the old system often showed is
often the positive one, and seldom a negative: the order learned is that of exposure. Its examples
weigh less for that (Schnabel et al., Recommendations as treatments, ICML 2016). Among items of the
same impression exposure cancels out, since each is a negative as often as it was shown and not
clicked; weights would reverse the bias there. The inverse propensity therefore has the share of
retrieved negatives as its exponent.
"""

import dataclasses

import numpy as np

from trainer.data.propensities import ExposurePropensities
from trainer.data.timelines import Timelines
from trainer.metrics.snips import compute_weights
from trainer.ranking.examples import RankingExamples


def weigh_by_propensity(
    examples: RankingExamples, timelines: Timelines, propensities: ExposurePropensities | None
) -> RankingExamples:
    """The listwise `examples` of events of `timelines`, their weights multiplied by clipped inverse
    propensities with a mean of 1; by 1 if no impression was counted.
    """
    if propensities is None:
        return fill_weights(examples)
    inverse = compute_weights(propensities.values[examples.candidates[:, 0]])
    factor = inverse ** (1 - find_shown_share(examples, timelines))
    weighed = fill_weights(examples)
    assert weighed.weight is not None, "just filled"
    weight = weighed.weight * (factor / factor.mean()).astype(np.float32)
    return dataclasses.replace(weighed, weight=weight)


def fill_weights(examples: RankingExamples) -> RankingExamples:
    """The examples with a weight of 1 each if they have none: all batches of an epoch have the same
    arrays.
    """
    if examples.weight is not None:
        return examples
    return dataclasses.replace(examples, weight=np.ones(len(examples), np.float32))


def find_shown_share(examples: RankingExamples, timelines: Timelines) -> np.ndarray:
    """[m] share of an example's negatives that were shown with its event, from 0 to 1."""
    assert timelines.shown is not None, "expected a log with impressions"
    negatives = examples.candidates[:, 1:].astype(np.int64)
    shown = timelines.shown.pad(examples.event, 0)
    size = int(max(negatives.max(initial=0), shown.max(initial=0))) + 1
    row = np.arange(len(negatives))[:, np.newaxis] * size
    was_shown = np.isin(row + negatives, row + shown) & (negatives > 0)
    return was_shown.sum(axis=1) / np.maximum((negatives > 0).sum(axis=1), 1)
