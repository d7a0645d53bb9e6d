"""What TFDV's statistics say of one feature, in few words."""

from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2

Feature = statistics_pb2.FeatureNameStatistics


def by_name(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, Feature]:
    """Features of the only data set of the list."""
    (dataset,) = statistics.datasets
    return {".".join(feature.path.step) or feature.name: feature for feature in dataset.features}


def examples(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> int:
    """How many Examples the only data set of the list has."""
    return int(statistics.datasets[0].num_examples)


def common(feature: Feature) -> Any:
    """CommonStatistics: how many Examples have the feature, how many values each, or in all."""
    kind = feature.WhichOneof("stats")
    return getattr(feature, kind).common_stats if kind else statistics_pb2.CommonStatistics()


def is_numeric(feature: Feature) -> bool:
    """Whether it has minimum, maximum and histograms."""
    return feature.WhichOneof("stats") == "num_stats"


def counts(feature: Feature) -> dict[str, float]:
    """Occurrences by value, most frequent first, of at most the 1000 most frequent texts."""
    buckets = feature.string_stats.rank_histogram.buckets
    return {bucket.label: bucket.sample_count for bucket in buckets}


def shares(feature: Feature) -> dict[str, float]:
    """`counts` as fractions of all of the feature's values."""
    total = common(feature).tot_num_values
    return {value: count / total for value, count in counts(feature).items()}


def present_fraction(feature: Feature) -> float:
    """Fraction of Examples that have at least one value."""
    found = common(feature)
    examined = found.num_non_missing + found.num_missing
    return found.num_non_missing / examined if examined else 0.0


def has_values(feature: Feature) -> bool:
    """Whether any Example has a value of it."""
    return bool(common(feature).tot_num_values)
