"""Slices by every declared category and set of users, items and context, under the values' own
names.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow_transform as tft

from schema import timeline
from schema.features import Feature
from trainer.data.evaluation_queries import Questions
from trainer.data.timelines import Timelines
from trainer.data.training_data import TrainingData
from trainer.evaluation import slices as slicing
from trainer.evaluation.slice_metrics import Slice

_NO_VALUE = [b"49d0cd50-04bb-48c0-bc6f-5b575dce351a"]
"""What Transform writes as the vocabulary of a feature without any value."""


def of_users(
    asked: Questions, data: TrainingData, most: int = slicing.MOST_VALUES
) -> dict[str, list[Slice]]:
    """By `user_<name>`: slices of those asked; `most` as `slicing.by_value` has it."""
    return {
        key: slicing.by_value(asked.timelines.users[name][asked.row], values, most)
        for name, key, values in _named(
            data.dataset.features.users, timeline.name_user_feature, data.timelines_graph
        )
    }


def of_events(
    timelines: Timelines, events: np.ndarray, data: TrainingData
) -> dict[str, list[Slice]]:
    """By `user_<name>` and `context_<name>`: slices of `events` [rows], positions in the
    timelines.
    """
    declared, graph = data.dataset.features, data.timelines_graph
    row = timelines.rows[events]
    of_users = {
        key: slicing.by_value(timelines.users[name][row], values)
        for name, key, values in _named(declared.users, timeline.name_user_feature, graph)
    }
    return of_users | of_context(timelines, events, data)


def of_context(
    timelines: Timelines, events: np.ndarray, data: TrainingData
) -> dict[str, list[Slice]]:
    """By `context_<name>`: slices of `events` [rows], positions in the timelines."""
    return {
        key: slicing.by_value(timelines.context[name][events], values)
        for name, key, values in _named(
            data.dataset.features.context, timeline.name_context, data.timelines_graph
        )
    }


def of_items(
    items: np.ndarray, data: TrainingData, most: int = slicing.MOST_VALUES
) -> dict[str, list[Slice]]:
    """By `item_<name>`: slices of `items` [rows], indices into the catalogue; `most` as
    `slicing.by_value` has it.
    """
    return {
        key: slicing.by_value(data.catalogue.features[name][items], values, most)
        for name, key, values in _named(
            data.dataset.features.items, timeline.name_item_feature, data.items_graph
        )
    }


def _named(
    features: Mapping[str, Feature], key: Callable[[str], str], graph: tft.TFTransformOutput
) -> Iterator[tuple[str, str, list[str]]]:
    """Name, field and values of each category and set; value i - 1 has index i. A feature that
    train has no value of has none here.
    """
    for name, feature in features.items():
        if feature.kind in ("category", "set"):
            values = graph.vocabulary_by_name(key(name))
            known = [] if values == _NO_VALUE else values
            yield name, key(name), [value.decode("utf-8", "replace") for value in known]
