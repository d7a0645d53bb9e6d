"""A split in two, the earlier half to learn from and the later one to decide by."""

import dataclasses

import numpy as np

from trainer.data.timelines import Timelines, from_moment


def halves(split: Timelines, has_clock: bool = True) -> tuple[Timelines, Timelines]:
    """Own events before, and from, their median time; the later half knows the earlier one.

    Where no event is before it, and in a split without a clock (the number of an event in its
    sequence is no time: short sequences are not earlier ones), every second timeline's. An event of
    the other half is neither positive nor has it a label.
    """
    middle = int(np.median(split.timestamps[split.own]))
    before = split.timestamps < middle
    if not has_clock or not (split.own & before).any():
        even = split.rows % 2 == 0
        return _only(split, even), _only(split, ~even)
    return _only(split, before), from_moment(split, middle)


def _only(split: Timelines, chosen: np.ndarray) -> Timelines:
    labels = {name: np.where(chosen, v, np.float32(np.nan)) for name, v in split.labels.items()}
    return dataclasses.replace(split, positive=split.positive & chosen, labels=labels)
