"""The files that a run writes at its root: the summary, the report, and its quality as one step of
TensorBoard's curves.

Below RUN/tensorboard/quality there is one TensorBoard run for each kind of lists that is evaluated
on the same queries (final_lists, retrieval, each baseline). A metric has the same tag in all of
them, so that TensorBoard draws one curve for each over successive runs.
"""

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from pipeline.config.config import Config
from pipeline.report import recommendations
from pipeline.report.html import page
from pipeline.run_root import RunRoot
from pipeline.runner import RunResult
from pipeline.summary import read_ceiling, summarise_run, write_summary
from schema.dataset import Split

Scalars = dict[str, dict[str, float]]
"""Value by TensorBoard run and tag."""
_BASELINE_PREFIX = "bias_baseline_"


def write_run_files(
    config: Config, data: str, run_root: RunRoot, result: RunResult
) -> dict[str, Any]:
    """Writes them below `run_root.root`, which has the training curves, and returns the summary.

    `data` is the folder or URL that was read.
    """
    summary = summarise_run(config, result)
    ceiling = read_ceiling(data)
    if ceiling is not None and config.split == Split():  # it was measured under that split
        summary["retrieval"]["ceiling"] = ceiling
    summary["examples"] = recommendations.recommend_example_users(summary)
    write_summary(summary, run_root.summary)
    write_quality_step(summary, run_root, result.evaluations)
    page.write_report(summary, run_root)
    return summary


def write_quality_step(summary: dict[str, Any], run_root: RunRoot, step: int) -> None:
    """Writes the scalars of `summary` at `step`, the number of evaluations that were executed.

    A step that is there already stays as it is: a run whose evaluation came from the cache adds
    nothing, and one that ended between evaluation and summary is made up for by the next.
    """
    suffix = f".step-{step}"
    for name, values in collect_scalars(summary).items():
        folder = run_root.tensorboard / "quality" / name
        if any(folder.glob(f"*{suffix}")):
            continue
        with tf.summary.create_file_writer(str(folder), filename_suffix=suffix).as_default(step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)


def collect_scalars(summary: dict[str, Any]) -> Scalars:
    """Metrics of lists, errors of labels, fairness gaps and the verdict."""
    retrieval, ranking = summary["retrieval"], summary["ranking"]
    verdict = summary.get("verdict") or {}
    scalars: Scalars = {
        "final_lists": _select_metrics(ranking),
        "retrieval": _select_metrics(retrieval),
    }
    others = retrieval["baselines"] | summary.get("beside", {})
    scalars |= {name: values for name, each in others.items() if (values := _select_metrics(each))}
    scalars["final_lists"] |= _select_gaps(summary.get("fairness", {}))
    for name, label in ranking.get("labels", {}).items():
        for run, values in _select_label_errors(name, label).items():
            scalars.setdefault(run, {}).update(values)
    if verdict:
        scalars["final_lists"]["verdict/blessed"] = float(verdict["blessed"])
    scalars["final_lists"]["verdict/pushed"] = float(bool(summary["servables"]))
    return scalars


def _select_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {f"quality/{name}": value for name, value in metrics.items() if "@" in name}


def _select_label_errors(name: str, label: Mapping[str, Any]) -> Scalars:
    scalars: Scalars = {"final_lists": {}, "bias_baseline": {}}
    for measure, value in label.items():
        if measure != "events" and isinstance(value, int | float) and math.isfinite(value):
            run = "bias_baseline" if measure.startswith(_BASELINE_PREFIX) else "final_lists"
            scalars[run][f"labels/{name} {measure.removeprefix(_BASELINE_PREFIX)}"] = float(value)
    return {run: values for run, values in scalars.items() if values}


def _select_gaps(fairness: Mapping[str, Any]) -> dict[str, float]:
    """A gap that could not be measured is no point of the line."""
    return {
        f"fairness/{name} gap": gap["value"] if isinstance(gap, dict) else gap
        for table in fairness.values()
        for name, row in table.items()
        if (gap := row.get("gap")) is not None
    }
