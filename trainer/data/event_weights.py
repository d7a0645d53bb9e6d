"""Weights of events in the losses."""

import dataclasses

import numpy as np

from trainer.data.timelines import Timelines
from trainer.data.windows import Batch

WEIGHT = "weight"
"""The array of a batch with the weights; batches of logs without weights do not have it."""


def scale_weights(train: Timelines, *others: Timelines) -> list[Timelines]:
    """Returns the splits with weights divided by the mean over the events that train learns from.

    The scale of losses and of gradients then does not depend on the unit of the weights. Timelines
    without weights stay as they are.
    """
    splits = [train, *others]
    if train.weight is None:
        return splits
    learned = train.weight[train.own & train.positive & (train.item_index > 0)]
    mean = learned.mean() if len(learned) else np.float32(1.0)
    return [_divide_weights(each, mean) for each in splits]


def _divide_weights(split: Timelines, mean: np.float32) -> Timelines:
    assert split.weight is not None, "expected weights in all splits or in none"
    return dataclasses.replace(split, weight=split.weight / mean)


def add_weights(batch: Batch, timelines: Timelines) -> Batch:
    """Adds WEIGHT to a batch of `trainer.data.windows`, if `timelines` have weights: float32 with
    the shape of `target`, 0 where that is false.
    """
    if timelines.weight is None:
        return batch
    weight = timelines.weight[batch["event"]]  # padding has the last event, and is no target
    return batch | {WEIGHT: np.where(batch["target"], weight, np.float32(0.0))}
