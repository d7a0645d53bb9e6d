"""Do probabilities come true? Expected calibration error and the table behind it."""

import numpy as np

BINS = 10
Bin = dict[str, float]


def reliability(predicted: np.ndarray, outcomes: np.ndarray) -> list[Bin]:
    """[e] probabilities and outcomes, 0 or 1 -> bins of (nearly) equally many events, by rising
    probability.

    Of each bin `low` and `high`, its least and greatest prediction; `predicted` and `observed`, the
    means; `events`. Ten bins, fewer for fewer than ten events, none for none.
    """
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return [_bin(predicted[part].astype(np.float64), outcomes[part]) for part in parts]


def expected_calibration_error(bins: list[Bin]) -> float:
    """Mean of |observed - predicted| over the bins, each weighed by its events: 0 is best, 1 worst.

    Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015, with
    their bins of equal frequency. Raises ZeroDivisionError for no bin.
    """
    off = sum(each["events"] * abs(each["observed"] - each["predicted"]) for each in bins)
    return float(off / sum(each["events"] for each in bins))


def _bin(predicted: np.ndarray, outcomes: np.ndarray) -> Bin:
    return {
        "low": float(predicted[0]),
        "high": float(predicted[-1]),
        "predicted": float(predicted.mean()),
        "observed": float(outcomes.mean()),
        "events": len(predicted),
    }
