"""Mean and spread over several seeds."""

import statistics
from collections.abc import Sequence


def summarise(result: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """By metric: `mean`, `min`, `max` and `deviation` over the seeds, the last being the sample's
    standard deviation, 0 for a single seed. Raises KeyError if a metric is present for some
    seeds only, and ValueError without any seed.
    """
    if not result:
        raise ValueError("expected what at least one seed gave, received nothing")
    names = list(dict.fromkeys(name for one in result for name in one))
    values = {name: [one[name] for one in result] for name in names}
    return {
        name: {
            "mean": sum(of) / len(of),
            "min": min(of),
            "max": max(of),
            "deviation": statistics.stdev(of) if len(of) > 1 else 0.0,
        }
        for name, of in values.items()
    }
