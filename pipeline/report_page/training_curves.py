"""Scalars by epoch, read from the event files that training wrote for TensorBoard."""

import pathlib
from collections.abc import Iterable

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

_PREFIX = "epoch_"
Curve = list[tuple[int, float]]
"""(epoch from 0 on, value), in order of epochs."""
Curves = dict[str, dict[str, Curve]]
"""By run (train, validation, a baseline's name): metric -> curve."""


def read(stage: pathlib.Path) -> Curves:
    """Of each run below the folder of a stage; {} where there is none."""
    if not stage.is_dir():
        return {}
    return {run.name: _of_run(run) for run in sorted(stage.iterdir()) if run.is_dir()}


def _of_run(folder: pathlib.Path) -> dict[str, Curve]:
    everything = {event_accumulator.TENSORS: 0}
    events = event_accumulator.EventAccumulator(str(folder), everything).Reload()
    return {
        tag.removeprefix(_PREFIX): latest(
            (event.wall_time, event.step, float(tensor_util.make_ndarray(event.tensor_proto)))
            for event in events.Tensors(tag)
        )
        for tag in events.Tags()[event_accumulator.TENSORS]
        if tag.startswith(_PREFIX)
    }


def latest(written: Iterable[tuple[float, int, float]]) -> Curve:
    """The last training's part of (wall time, step, value) in any order.

    A folder may hold earlier trainings too, and one that was resumed. Whoever writes a step again
    makes all from that step on his own.
    """
    curve: Curve = []
    for _, step, value in sorted(written, key=lambda event: event[0]):
        curve = [*(point for point in curve if point[0] < step), (step, value)]
    return curve
