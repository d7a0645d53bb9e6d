"""Events with a ranking label, the target of its head, and reasons why a label is unusable."""

import numpy as np

from schema.labels import RankingLabel
from trainer.data.timelines import Timelines
from trainer.data.training_data import TrainingData


def find_labelled(split: Timelines, name: str) -> np.ndarray:
    """[e] bool: an own event, positive or not, on a known item, that has the label."""
    return split.own & (split.item_index > 0) & ~np.isnan(split.labels[name])


def compute_target(values: np.ndarray, label: RankingLabel) -> np.ndarray:
    """[m] values without NaN -> [m] targets: 0 or 1 for a binary label, else the value."""
    return (values >= label.at_least).astype(float) if label.kind == "binary" else values


def select_learnable(data: TrainingData) -> dict[str, RankingLabel]:
    """The declared labels with at least one value in train; the others get no head."""
    labels = data.dataset.labels.ranking
    return {name: label for name, label in labels.items() if find_labelled(data.train, name).any()}


def find_obstacle(data: TrainingData, name: str) -> str | None:
    """The reason why the label cannot be evaluated; None if it can."""
    label = data.dataset.labels.ranking[name]
    learned, evaluated = (
        compute_target(split.labels[name][find_labelled(split, name)], label)
        for split in (data.train, data.test)
    )
    for split, values in (("train", learned), ("test", evaluated)):
        if not len(values):
            return f"no event of {split} on an item of the catalogue has a value of {name}"
    if learned.min() == learned.max():
        value = _format_target(learned[0], label)
        return f"{name} is {value} in all {len(learned)} events of train: nothing to learn"
    return None


def _format_target(value: float, label: RankingLabel) -> str:
    if label.kind == "regression":
        return f"{value:g}"
    if label.is_in is not None:
        return f"{'' if value else 'not '}in {label.is_in}"
    return f"{label.at_least:g} or more" if value else f"below {label.at_least:g}"
