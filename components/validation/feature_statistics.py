"""What TFDV's statistics say of one feature, in few words."""

from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2

FeatureStatistics = statistics_pb2.FeatureNameStatistics


def index_features(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, FeatureStatistics]:
    """Features of the only data set of the list."""
    (dataset,) = statistics.datasets
    return {".".join(feature.path.step) or feature.name: feature for feature in dataset.features}


def count_examples(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> int:
    """How many Examples the only data set of the list has."""
    return int(statistics.datasets[0].num_examples)


def get_common(feature: FeatureStatistics) -> Any:
    """CommonStatistics: how many Examples have the feature, how many values each, or in all."""
    kind = feature.WhichOneof("stats")
    return getattr(feature, kind).common_stats if kind else statistics_pb2.CommonStatistics()


def is_numeric(feature: FeatureStatistics) -> bool:
    """Whether it has minimum, maximum and histograms."""
    return feature.WhichOneof("stats") == "num_stats"


def count_values(feature: FeatureStatistics) -> dict[str, float]:
    """Occurrences by value, most frequent first, of at most the 1000 most frequent texts."""
    buckets = feature.string_stats.rank_histogram.buckets
    return {bucket.label: bucket.sample_count for bucket in buckets}


def compute_shares(feature: FeatureStatistics) -> dict[str, float]:
    """`counts` as fractions of all of the feature's values."""
    total = get_common(feature).tot_num_values
    return {value: count / total for value, count in count_values(feature).items()}


def compute_present_fraction(feature: FeatureStatistics) -> float:
    """Fraction of Examples that have at least one value."""
    found = get_common(feature)
    examined = found.num_non_missing + found.num_missing
    return found.num_non_missing / examined if examined else 0.0


def has_values(feature: FeatureStatistics) -> bool:
    """Whether any Example has a value of it."""
    return bool(get_common(feature).tot_num_values)
