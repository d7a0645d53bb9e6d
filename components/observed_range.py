"""The range that a number may have, from the numbers seen."""

from collections.abc import Iterator, Sequence

from tensorflow_metadata.proto.v0 import statistics_pb2

_PILED_UP = 0.01
_AT_LEAST = 10


def observed_range(found: Sequence[statistics_pb2.NumericStatistics]) -> tuple[float, float]:
    """Smallest and largest number to be allowed.

    A bound at which a hundredth of all values lie, and ten at least, is the end of a scale (stars,
    shares): it stands. Any other is the largest so far (prices, seconds): beyond it there is as
    much room as the values span, but not across zero, which is a bound of its own where nothing was
    seen beyond it.
    """
    low, high = min(each.min for each in found), max(each.max for each in found)
    room = high - low
    least = low if _piled_up(found, low) else low - room
    most = high if _piled_up(found, high) else high + room
    if low >= 0:
        least = max(least, 0.0)
    if high <= 0:
        most = min(most, 0.0)
    return _short(least), _short(most)


def _piled_up(found: Sequence[statistics_pb2.NumericStatistics], bound: float) -> bool:
    """Whether that many of the values of one split are exactly `bound`."""
    return any(_count(each, bound) >= max(_AT_LEAST, _PILED_UP * _total(each)) for each in found)


def _count(found: statistics_pb2.NumericStatistics, value: float) -> float:
    """Values in those quantile buckets that hold `value` alone: less than there are, at most by
    two buckets.
    """
    return sum(
        bucket.sample_count
        for bucket in _quantiles(found)
        if bucket.low_value == bucket.high_value == value
    )


def _total(found: statistics_pb2.NumericStatistics) -> float:
    return sum(bucket.sample_count for bucket in _quantiles(found))


def _quantiles(
    found: statistics_pb2.NumericStatistics,
) -> Iterator[statistics_pb2.Histogram.Bucket]:
    for histogram in found.histograms:
        if histogram.type == statistics_pb2.Histogram.QUANTILES:
            yield from histogram.buckets


def _short(number: float) -> float:
    """Without the digits that only the encoding as a 32-bit float gave it."""
    return float(f"{number:.6g}")
