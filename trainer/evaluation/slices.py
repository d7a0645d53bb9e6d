"""Slices of users, events and items: by history, popularity, days since the cut, and by the
values of every declared category and set.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow_transform as tft

from schema import timeline
from schema.features import Feature
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.timelines import Timelines
from trainer.data.training_data import TrainingData
from trainer.metrics.beyond_accuracy import find_head_items

_MAX_RARE_EVENTS = 5
_AGE_DAYS = (1, 7, 30)
MAX_VALUES = 10
"""Number of values of a category or set that get a separate slice."""
HISTORY, ACTIVITY = "history", "activity"
"""Built-in dimensions of users."""
_NO_KNOWN_VALUE = "no known value"
_OTHER_VALUES = " other values"
_EMPTY_VOCABULARY = [b"49d0cd50-04bb-48c0-bc6f-5b575dce351a"]
"""Transform's vocabulary of a feature without any value."""


@dataclasses.dataclass(frozen=True)
class Slice:
    """A subset of rows, of users or of relevant items. Slices of one dimension may overlap."""

    name: str
    chosen: np.ndarray
    """[rows] bool."""


def slice_by_history(history: np.ndarray) -> list[Slice]:
    """New users, who have no history, and warm users; `history` [users] counts items."""
    return [Slice("new users", history == 0), Slice("warm users", history > 0)]


def slice_by_activity(history: np.ndarray, parts: int = 4) -> list[Slice]:
    """Warm users in `parts` slices of similar size, by the number of items in their history.

    Users with the same number of items are in the same slice, so there may be fewer slices.
    """
    warm = history[history > 0]
    if not len(warm):
        return []
    cuts = np.quantile(warm, np.arange(1, parts + 1) / parts, method="inverted_cdf")
    slices, low = [], 0
    for high in np.unique(cuts).astype(int).tolist():
        name = f"{low + 1}-{high} items" if high > low + 1 else _format_count(high)
        slices.append(Slice(name, (history > low) & (history <= high)))
        low = high
    return slices


def _format_count(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def slice_by_popularity(items: np.ndarray, events: np.ndarray) -> list[Slice]:
    """[rows] items by their number of known `events` [n + 1]: head items are the most popular 1 %,
    new items have no events, rare items at most five.
    """
    head = np.isin(items, find_head_items(events))
    count = events[items]
    return [
        Slice("new items", ~head & (count == 0)),
        Slice("rare items", ~head & (count > 0) & (count <= _MAX_RARE_EVENTS)),
        Slice("middle items", ~head & (count > _MAX_RARE_EVENTS)),
        Slice("head items", head),
    ]


def slice_by_age(days: np.ndarray) -> list[Slice]:
    """Slices by days since the cut [rows]: the later the event, the older the known data."""
    edges = [0, *_AGE_DAYS]
    slices = [
        Slice(f"day {low}-{high}", (days >= low) & (days < high))
        for low, high in itertools.pairwise(edges)
    ]
    return [*slices, Slice(f"from day {edges[-1]} on", days >= edges[-1])]


def slice_by_value(values: np.ndarray, names: list[str], most: int = MAX_VALUES) -> list[Slice]:
    """Slices by the value of a category ([rows]) or set ([rows, width]) after Transform: 0 is a
    missing or unknown value, i is names[i - 1].

    The `most` most frequent values have a slice each, and all other values that occur share one.
    Up to `most` values, those without rows have a slice too. The slices of a set overlap. A value
    that equals the name of a reserved slice is put in quotation marks.
    """
    names = [_quote_reserved(name) for name in names]
    table = values.reshape(len(values), math.prod(values.shape[1:]))  # -1 fits no array of 0 rows
    count = np.bincount(table.ravel(), minlength=len(names) + 1)
    order = 1 + np.argsort(-count[1:], kind="stable")
    rest = order[most:][count[order[most:]] > 0]
    slices = [Slice(names[value - 1], (table == value).any(axis=1)) for value in order[:most]]
    if len(rest):
        slices.append(Slice(f"{len(rest)}{_OTHER_VALUES}", np.isin(table, rest).any(axis=1)))
    return [*slices, Slice(_NO_KNOWN_VALUE, (table == 0).all(axis=1))]


def _quote_reserved(value: str) -> str:
    """`value`, in quotation marks if it equals a reserved name or begins with such a mark."""
    reserved = value == _NO_KNOWN_VALUE or (
        value.endswith(_OTHER_VALUES) and value.removesuffix(_OTHER_VALUES).isdigit()
    )
    return f'"{value}"' if reserved or value.startswith('"') else value


def slice_users(
    queries: EvaluationQueries, data: TrainingData, most: int = MAX_VALUES
) -> dict[str, list[Slice]]:
    """By `user_<name>`: slices of the queries; `most` as in `slice_by_value`."""
    return {
        key: slice_by_value(queries.timelines.users[name][queries.row], values, most)
        for name, key, values in _iterate_declared(
            data.dataset.features.users, timeline.name_user_feature, data.timelines_graph
        )
    }


def slice_events(
    timelines: Timelines, events: np.ndarray, data: TrainingData
) -> dict[str, list[Slice]]:
    """By `user_<name>` and `context_<name>`: slices of `events` [rows], positions in the
    timelines.
    """
    declared, graph = data.dataset.features, data.timelines_graph
    row = timelines.rows[events]
    of_users = {
        key: slice_by_value(timelines.users[name][row], values)
        for name, key, values in _iterate_declared(
            declared.users, timeline.name_user_feature, graph
        )
    }
    return of_users | slice_context(timelines, events, data)


def slice_context(
    timelines: Timelines, events: np.ndarray, data: TrainingData
) -> dict[str, list[Slice]]:
    """By `context_<name>`: slices of `events` [rows], positions in the timelines."""
    return {
        key: slice_by_value(timelines.context[name][events], values)
        for name, key, values in _iterate_declared(
            data.dataset.features.context, timeline.name_context, data.timelines_graph
        )
    }


def slice_items(
    items: np.ndarray, data: TrainingData, most: int = MAX_VALUES
) -> dict[str, list[Slice]]:
    """By `item_<name>`: slices of `items` [rows], indices into the catalogue; `most` as
    in `slice_by_value`.
    """
    return {
        key: slice_by_value(data.catalogue.features[name][items], values, most)
        for name, key, values in _iterate_declared(
            data.dataset.features.items, timeline.name_item_feature, data.items_graph
        )
    }


def _iterate_declared(
    features: Mapping[str, Feature], key: Callable[[str], str], graph: tft.TFTransformOutput
) -> Iterator[tuple[str, str, list[str]]]:
    """Name, field and values of each category and set; value i - 1 has index i. A feature without
    values in train has no values.
    """
    for name, feature in features.items():
        if feature.kind in ("category", "set"):
            values = graph.vocabulary_by_name(key(name))
            known = [] if values == _EMPTY_VOCABULARY else values
            yield name, key(name), [value.decode("utf-8", "replace") for value in known]
