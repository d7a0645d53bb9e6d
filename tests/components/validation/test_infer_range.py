"""Inferred ranges by hand, of a thousand values each."""

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.validation.schema_inference import infer_range


def numbers(low, high, *piles):
    """Statistics of values from `low` to `high`; `piles` are (value, share) in one bucket each."""
    result = statistics_pb2.NumericStatistics(min=low, max=high)
    histogram = result.histograms.add(type=statistics_pb2.Histogram.QUANTILES)
    rest = 1.0
    for value, share in piles:
        histogram.buckets.add(low_value=value, high_value=value, sample_count=1000 * share)
        rest -= share
    histogram.buckets.add(low_value=low, high_value=high, sample_count=1000 * rest)
    return result


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        ([numbers(1, 5, (1, 0.02), (5, 0.3))], (1, 5)),  # stars: both ends of a scale
        ([numbers(2, 12)], (0, 22)),  # prices: room above, none below zero
        ([numbers(20, 30)], (10, 40)),
        ([numbers(-30, -20)], (-40, -10)),
        ([numbers(-4, 4)], (-12, 12)),
        ([numbers(0, 8, (8, 0.011))], (0, 8)),
        ([numbers(0, 8, (8, 0.009))], (0, 16)),  # nine of a thousand are no pile
        ([numbers(3, 3, (3, 1.0))], (3, 3)),
        ([numbers(1, 4, (1, 0.1)), numbers(2, 5, (5, 0.1))], (1, 5)),  # each end in one split
    ],
)
def test_bounds(statistics, expected):
    assert infer_range(statistics) == expected
