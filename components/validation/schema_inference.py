"""Infers a schema to curate from statistics: domains, presence, valency, ranges, drift, skew.

Future data contain values that today's log does not have. Each rule is therefore only as strict as
the data justify; the docstrings of the functions give the reasons.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.validation.drift import Statistics, compute_distances
from components.validation.feature_statistics import (
    FeatureStatistics,
    compute_present_fraction,
    count_values,
    get_common,
    has_values,
    index_features,
)
from schema import timeline
from schema.dataset import Dataset
from schema.features import Feature

MOST_VALUES = 100
UNSEEN_MASS = 0.001
PRESENCE_MARGIN = 0.9
LEAST_THRESHOLD = 0.1
HALF = 0.5
_PILED_UP_SHARE = 0.01
_PILED_UP_COUNT = 10


def infer_schema(
    implied: schema_pb2.Schema, dataset: Dataset, statistics: Mapping[str, Statistics]
) -> schema_pb2.Schema:
    """Infers the curated schema of one table; it has the features of `implied` for which the data
    give rules.

    `statistics` are keyed by split; those of interactions count the events of the split only.
    """
    kinds = _map_kinds(dataset)
    schema = schema_pb2.Schema()
    described = [index_features(each) for each in statistics.values()]
    for feature in implied.feature:
        observed = [split[feature.name] for split in described if feature.name in split]
        if feature.name in kinds and any(map(has_values, observed)):
            inferred = schema.feature.add()
            inferred.CopyFrom(feature)
            _tighten(inferred, schema, kinds[feature.name], observed)
    # A table that loses half of its Examples between two runs is probably incomplete.
    schema.dataset_constraints.num_examples_drift_comparator.min_fraction_threshold = HALF
    _set_thresholds(schema, list(statistics.values()))
    return schema


def _map_kinds(dataset: Dataset) -> dict[str, str]:
    """Kind of each Example feature that rules are inferred for, by its name in the Example."""
    declared: Iterable[tuple[str, Feature]] = [
        *((timeline.name_context(name), each) for name, each in dataset.features.context.items()),
        *(
            (timeline.name_user_feature(name), each)
            for name, each in dataset.features.users.items()
        ),
        *(
            (timeline.name_item_feature(name), each)
            for name, each in dataset.features.items.items()
        ),
    ]
    labels = {timeline.name_label(name): "number" for name in dataset.labels.ranking}
    own = {
        timeline.ITEM_IDS: "id",
        timeline.POSITIVE: "flag",
        timeline.WEIGHT: "number",
        timeline.TITLE: "text",
    }
    return own | labels | {name: each.kind for name, each in declared}


def _tighten(
    feature: schema_pb2.Feature,
    schema: schema_pb2.Schema,
    kind: str,
    observed: Sequence[FeatureStatistics],
) -> None:
    _set_presence(feature, observed)
    if feature.HasField("value_count") or kind == "set":
        _set_valency(feature, kind, observed)
    if kind in ("category", "set"):
        _set_domain(feature, schema, observed)
    if kind in ("number", "vector"):
        _set_range(feature, kind, observed)
    if kind in ("category", "set", "id"):
        _set_comparators(feature, "infinity_norm")
    elif kind in ("number", "flag"):
        _set_comparators(feature, "jensen_shannon_divergence")


def _set_presence(feature: schema_pb2.Feature, observed: Sequence[FeatureStatistics]) -> None:
    """A feature that all Examples have is required; otherwise nine tenths of the observed fraction
    are.
    """
    fraction = min(map(compute_present_fraction, observed))
    feature.presence.min_fraction = 1.0 if fraction == 1 else round(PRESENCE_MARGIN * fraction, 3)
    feature.presence.min_count = 1


def _set_valency(
    feature: schema_pb2.Feature, kind: str, observed: Sequence[FeatureStatistics]
) -> None:
    """At least the smallest observed number of values; for a set, 1 to twice the largest one."""
    common = [get_common(each) for each in observed if has_values(each)]
    feature.value_count.min = min(each.min_num_values for each in common)
    if kind == "set":
        feature.value_count.min = 1
        feature.value_count.max = 2 * max(each.max_num_values for each in common)


def _set_domain(
    feature: schema_pb2.Feature,
    schema: schema_pb2.Schema,
    observed: Sequence[FeatureStatistics],
) -> None:
    """Sets the domain to the observed values if there are few of them and a new value is unlikely.

    The estimated probability that the next value is new is the number of values observed once,
    divided by the number of all observations (Good, The population frequencies of species and the
    estimation of population parameters, Biometrika 40, 1953).
    """
    counts: Counter[str] = Counter()
    for each in observed:
        counts.update(count_values(each))
    once = sum(count == 1 for count in counts.values())
    if len(counts) <= MOST_VALUES and once <= UNSEEN_MASS * counts.total():
        feature.domain = feature.name
        schema.string_domain.add(name=feature.name, value=sorted(counts))


def _set_range(
    feature: schema_pb2.Feature, kind: str, observed: Sequence[FeatureStatistics]
) -> None:
    domain = feature.float_domain
    if kind == "number":
        domain.min, domain.max = infer_range([each.num_stats for each in observed])
    nans = sum(histogram.num_nan for each in observed for histogram in each.num_stats.histograms)
    domain.disallow_nan = not nans
    domain.disallow_inf = True


def _set_comparators(feature: schema_pb2.Feature, measure: str) -> None:
    for comparator in (feature.drift_comparator, feature.skew_comparator):
        getattr(comparator, measure).threshold = LEAST_THRESHOLD


def _set_thresholds(schema: schema_pb2.Schema, splits: Sequence[Statistics]) -> None:
    """Twice the largest distance between the first and a later split, but at least 0.1.

    There is no rule if this reaches 1, the maximum of both distances.
    """
    largest: Counter[str] = Counter()
    for later in splits[1:]:
        largest |= Counter(compute_distances(schema, splits[0], later))
    for feature in schema.feature:
        threshold = round(max(LEAST_THRESHOLD, 2 * largest[feature.name]), 3)
        for name in ("drift_comparator", "skew_comparator"):
            _set_threshold(feature, name, threshold, used=len(splits) > 1 or name[0] == "d")


def _set_threshold(feature: schema_pb2.Feature, name: str, threshold: float, *, used: bool) -> None:
    if not feature.HasField(name):
        return
    if threshold >= 1 or not used:
        feature.ClearField(name)
        return
    comparator = getattr(feature, name)
    for measure, _ in comparator.ListFields():
        getattr(comparator, measure.name).threshold = threshold


def infer_range(observed: Sequence[statistics_pb2.NumericStatistics]) -> tuple[float, float]:
    """Returns the smallest and the largest number to allow.

    A bound that equals at least a hundredth of all values, and at least ten, is the end of a scale
    (stars, shares) and is used as it is. Any other bound is only the most extreme value so far
    (prices, seconds); it is extended by the range of the values, but not beyond zero if all values
    are on one side of it.
    """
    low, high = min(each.min for each in observed), max(each.max for each in observed)
    room = high - low
    least = low if _is_piled_up(observed, low) else low - room
    most = high if _is_piled_up(observed, high) else high + room
    if low >= 0:
        least = max(least, 0.0)
    if high <= 0:
        most = min(most, 0.0)
    return _round_digits(least), _round_digits(most)


def _is_piled_up(observed: Sequence[statistics_pb2.NumericStatistics], bound: float) -> bool:
    """Whether enough values of one split are exactly `bound` (see `infer_range`)."""
    return any(
        _count_value(each, bound) >= max(_PILED_UP_COUNT, _PILED_UP_SHARE * _count_total(each))
        for each in observed
    )


def _count_value(observed: statistics_pb2.NumericStatistics, value: float) -> float:
    """Number of values in the quantile buckets that hold only `value`: a lower bound of its count,
    too low by at most two buckets.
    """
    return sum(
        bucket.sample_count
        for bucket in _iterate_quantiles(observed)
        if bucket.low_value == bucket.high_value == value
    )


def _count_total(observed: statistics_pb2.NumericStatistics) -> float:
    return sum(bucket.sample_count for bucket in _iterate_quantiles(observed))


def _iterate_quantiles(
    observed: statistics_pb2.NumericStatistics,
) -> Iterator[statistics_pb2.Histogram.Bucket]:
    for histogram in observed.histograms:
        if histogram.type == statistics_pb2.Histogram.QUANTILES:
            yield from histogram.buckets


def _round_digits(number: float) -> float:
    """Rounds to six digits, which removes the error of the 32-bit encoding."""
    return float(f"{number:.6g}")
