"""A line for each ranking label at a run's end: its errors beside the bias baseline's."""

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]


def lines(labels: dict[str, Row]) -> Iterator[str]:
    """`labels` is `ranking.labels` of the summary."""
    for name, found in labels.items():
        yield f"{name}: {_errors(found)} ({found['events']:,} test events)"


def _errors(found: Row) -> str:
    if "note" in found:
        return f"not measured: {found['note']}"
    rmse = f"RMSE {found['rmse']:.4f}, bias baseline {found['bias_baseline_rmse']:.4f}"
    if found["kind"] == "regression":
        return f"{rmse}; MAE {found['mae']:.4f}, bias baseline {found['bias_baseline_mae']:.4f}"
    return (
        f"{rmse}; log loss {found['log_loss']:.4f}; expected calibration error "
        f"{found['expected_calibration_error']:.4f}, uncalibrated "
        f"{found['uncalibrated_expected_calibration_error']:.4f}"
    )
