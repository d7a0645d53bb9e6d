"""The files that a run writes at its root: the summary, the report, and its quality as one step of
TensorBoard's curves.

Below RUN/tensorboard/quality there is one TensorBoard run for each kind of lists that is evaluated
on the same queries (final_lists, retrieval, each baseline). A metric has the same tag in all of
them, so that TensorBoard draws one curve for each over successive runs.
"""

import math

import tensorflow as tf

from pipeline.config.config import Config
from pipeline.report import recommendations
from pipeline.report.html import page
from pipeline.run_root import RunRoot
from pipeline.runner import RunResult
from pipeline.summary import read_ceiling, summarise_run, write_summary
from schema.evaluation_summary import FairnessSummary, LabelSummary, ListMetrics
from schema.run_summary import RunSummary
from schema.split import Split

Scalars = dict[str, dict[str, float]]
"""Value by TensorBoard run and tag."""
_BASELINE_PREFIX = "bias_baseline_"


def write_run_files(config: Config, data: str, run_root: RunRoot, result: RunResult) -> RunSummary:
    """Writes summary, report and quality below `run_root.root`; returns the summary.

    Args:
        config: The pipeline's configuration.
        data: Folder or URL of the input, whose `truth.json` has the ceiling of simulated data.
        run_root: Root of the run, which already has the training curves.
        result: Outcome of the run.
    """
    summary = summarise_run(config, result)
    retrieval, ceiling = summary.retrieval, read_ceiling(data)
    if ceiling is not None and config.split == Split():  # the ceiling is that of the default split
        retrieval = retrieval.model_copy(update={"ceiling": ceiling})
    examples = recommendations.recommend_example_users(summary.artifacts, summary.seed)
    summary = summary.model_copy(update={"retrieval": retrieval, "examples": examples})
    write_summary(summary, run_root.summary)
    write_quality_step(summary, run_root, result.evaluations)
    page.write_report(summary, run_root)
    return summary


def write_quality_step(summary: RunSummary, run_root: RunRoot, step: int) -> None:
    """Writes the scalars of `summary` at `step`, the number of evaluations that were executed.

    An existing step stays as it is, so a run whose evaluation came from the cache adds nothing. If
    a run ends between evaluation and summary, the next run writes its step.
    """
    suffix = f".step-{step}"
    for name, values in collect_scalars(summary).items():
        folder = run_root.tensorboard / "quality" / name
        if any(folder.glob(f"*{suffix}")):
            continue
        with tf.summary.create_file_writer(str(folder), filename_suffix=suffix).as_default(step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)


def collect_scalars(summary: RunSummary) -> Scalars:
    """Metrics of lists, errors of labels, fairness gaps and the verdict."""
    scalars: Scalars = {
        "final_lists": _tag_metrics(summary.ranking),
        "retrieval": _tag_metrics(summary.retrieval),
    }
    others: dict[str, ListMetrics] = {**summary.retrieval.baselines, **summary.beside}
    scalars |= {name: values for name, lists in others.items() if (values := _tag_metrics(lists))}
    scalars["final_lists"] |= _tag_gaps(summary.fairness)
    for name, label in summary.ranking.labels.items():
        for run, values in _tag_label_errors(name, label).items():
            scalars.setdefault(run, {}).update(values)
    scalars["final_lists"]["verdict/blessed"] = float(summary.verdict.blessed)
    scalars["final_lists"]["verdict/pushed"] = float(bool(summary.servables))
    return scalars


def _tag_metrics(lists: ListMetrics) -> dict[str, float]:
    return {f"quality/{name}": value for name, value in lists.metrics.items()}


def _tag_label_errors(name: str, label: LabelSummary) -> Scalars:
    scalars: Scalars = {"final_lists": {}, "bias_baseline": {}}
    for measure, value in label.to_json().items():
        if measure != "events" and isinstance(value, int | float) and math.isfinite(value):
            run = "bias_baseline" if measure.startswith(_BASELINE_PREFIX) else "final_lists"
            scalars[run][f"labels/{name} {measure.removeprefix(_BASELINE_PREFIX)}"] = float(value)
    return {run: values for run, values in scalars.items() if values}


def _tag_gaps(fairness: FairnessSummary) -> dict[str, float]:
    """The gaps that were measured."""
    users = {name: table.gap.value for name, table in fairness.users.items() if table.gap}
    items = {name: table.gap for name, table in fairness.items.items() if table.gap is not None}
    return {f"fairness/{name} gap": gap for name, gap in (users | items).items()}
