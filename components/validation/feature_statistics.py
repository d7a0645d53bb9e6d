"""Accessors for TFDV's statistics of one feature."""

from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2

FeatureStatistics = statistics_pb2.FeatureNameStatistics


def index_features(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, FeatureStatistics]:
    """Returns the features of the single data set in `statistics`, by name."""
    (dataset,) = statistics.datasets
    return {".".join(feature.path.step) or feature.name: feature for feature in dataset.features}


def count_examples(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> int:
    """Returns the number of Examples of the single data set in `statistics`."""
    return int(statistics.datasets[0].num_examples)


def get_common(feature: FeatureStatistics) -> Any:
    """Returns the feature's CommonStatistics: numbers of Examples and of values."""
    kind = feature.WhichOneof("stats")
    return getattr(feature, kind).common_stats if kind else statistics_pb2.CommonStatistics()


def is_numeric(feature: FeatureStatistics) -> bool:
    """Returns whether the feature has a minimum, a maximum and histograms."""
    return feature.WhichOneof("stats") == "num_stats"


def count_values(feature: FeatureStatistics) -> dict[str, float]:
    """Returns the number of occurrences by value, most frequent first, for up to 1000 strings."""
    buckets = feature.string_stats.rank_histogram.buckets
    return {bucket.label: bucket.sample_count for bucket in buckets}


def compute_shares(feature: FeatureStatistics) -> dict[str, float]:
    """Returns `count_values` as fractions of all values of the feature."""
    total = get_common(feature).tot_num_values
    return {value: count / total for value, count in count_values(feature).items()}


def compute_present_fraction(feature: FeatureStatistics) -> float:
    """Returns the fraction of Examples with at least one value; 0 if there are no Examples."""
    common = get_common(feature)
    total = common.num_non_missing + common.num_missing
    return common.num_non_missing / total if total else 0.0


def has_values(feature: FeatureStatistics) -> bool:
    """Returns whether any Example has a value of the feature."""
    return bool(get_common(feature).tot_num_values)
