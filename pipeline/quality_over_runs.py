"""A run's quality as one step of TensorBoard's lines, so that quality over runs is a line each.

Below RUN/tensorboard/quality there is a TensorBoard run for everything that is asked the same
questions (final_lists, retrieval, each baseline), and the same metric has the same tag in all.
"""

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from pipeline.run_root import RunDirectory

Scalars = dict[str, dict[str, float]]
"""By TensorBoard run: tag -> value."""
_BEFORE = "bias_baseline_"


def write(summary: dict[str, Any], at: RunDirectory, step: int) -> None:
    """Writes the scalars of `summary` at `step`, the number of evaluations that were executed.

    A step that is there already stays as it is: a run whose evaluation came from the cache adds
    nothing, and one that ended between evaluation and summary is made up for by the next.
    """
    suffix = f".step-{step}"
    for name, values in of(summary).items():
        folder = at.tensorboard / "quality" / name
        if any(folder.glob(f"*{suffix}")):
            continue
        with tf.summary.create_file_writer(str(folder), filename_suffix=suffix).as_default(step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)


def of(summary: dict[str, Any]) -> Scalars:
    """Metrics of lists, errors of labels, fairness gaps and the verdict."""
    retrieval, ranking = summary["retrieval"], summary["ranking"]
    verdict = summary.get("verdict") or {}
    found: Scalars = {"final_lists": _metrics(ranking), "retrieval": _metrics(retrieval)}
    others = retrieval["baselines"] | summary.get("beside", {})
    found |= {name: values for name, each in others.items() if (values := _metrics(each))}
    found["final_lists"] |= _gaps(summary.get("fairness", {}))
    for name, label in ranking.get("labels", {}).items():
        for run, values in _errors(name, label).items():
            found.setdefault(run, {}).update(values)
    if verdict:
        found["final_lists"]["verdict/blessed"] = float(verdict["blessed"])
    found["final_lists"]["verdict/pushed"] = float(bool(summary["servables"]))
    return found


def _metrics(measured: Mapping[str, Any]) -> dict[str, float]:
    return {f"quality/{name}": value for name, value in measured.items() if "@" in name}


def _errors(name: str, label: Mapping[str, Any]) -> Scalars:
    found: Scalars = {"final_lists": {}, "bias_baseline": {}}
    for measure, value in label.items():
        if measure != "events" and isinstance(value, int | float) and math.isfinite(value):
            run = "bias_baseline" if measure.startswith(_BEFORE) else "final_lists"
            found[run][f"labels/{name} {measure.removeprefix(_BEFORE)}"] = float(value)
    return {run: values for run, values in found.items() if values}


def _gaps(fairness: Mapping[str, Any]) -> dict[str, float]:
    """A gap that could not be measured is no point of the line."""
    return {
        f"fairness/{name} gap": gap["value"] if isinstance(gap, dict) else gap
        for table in fairness.values()
        for name, row in table.items()
        if (gap := row.get("gap")) is not None
    }
