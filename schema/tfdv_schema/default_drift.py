"""Thresholds of drift for the features that a curated schema says nothing about.

The distances are those that TFDV documents for each type: the L-infinity distance for strings, the
Jensen–Shannon divergence for numbers. The thresholds are above every distance between consecutive
spans of a real log, of days, weeks or months: see RECURRING.md.
"""

from collections.abc import Mapping

from tensorflow_metadata.proto.v0 import schema_pb2

from schema import timeline
from schema.dataset import Dataset
from schema.features import Feature

INFINITY_NORM = 0.3
"""Largest change of the share of any value of a category or set."""
ITEMS_INFINITY_NORM = 0.5
"""The same for the items of the events, where a single release can change a quarter."""
JENSEN_SHANNON = 0.2
"""Largest divergence of two distributions of numbers."""
_TAG = "default_drift"
_STRINGS = ("category", "set")
_ITEM = "item"


def add_default_drift(schema: schema_pb2.Schema, dataset: Dataset) -> None:
    """Adds comparators to the features of `schema` that have a measure, in place.

    Ids of users and of the catalogue, titles, texts, vectors and times have none: they have few
    values twice, no order, or change by their nature.
    """
    kinds = _map_kinds(dataset)
    for feature in schema.feature:
        kind = kinds.get(feature.name)
        if kind is None:
            continue
        feature.annotation.tag.append(_TAG)
        if kind == _ITEM:
            feature.drift_comparator.infinity_norm.threshold = ITEMS_INFINITY_NORM
        elif kind in _STRINGS:
            feature.drift_comparator.infinity_norm.threshold = INFINITY_NORM
        else:
            feature.drift_comparator.jensen_shannon_divergence.threshold = JENSEN_SHANNON


def has_default_drift(feature: schema_pb2.Feature) -> bool:
    """Whether the drift comparator of the feature is a default."""
    return _TAG in feature.annotation.tag


def _map_kinds(dataset: Dataset) -> dict[str, str]:
    """Kind of each feature with a measure, by its name in the Examples."""
    features = dataset.features
    kinds: dict[str, str] = {timeline.ITEM_IDS: _ITEM, timeline.POSITIVE: "number"}
    kinds |= {timeline.name_label(name): "number" for name in dataset.labels.ranking}
    if dataset.labels.has_weights:
        kinds[timeline.WEIGHT] = "number"
    kinds |= {timeline.name_context(n): kind for n, kind in _select_kinds(features.context)}
    kinds |= {timeline.name_user_feature(n): kind for n, kind in _select_kinds(features.users)}
    return kinds | {timeline.name_item_feature(n): k for n, k in _select_kinds(features.items)}


def _select_kinds(features: Mapping[str, Feature]) -> list[tuple[str, str]]:
    measured = (*_STRINGS, "number")
    return [(name, each.kind) for name, each in features.items() if each.kind in measured]
