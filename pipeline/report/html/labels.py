"""The ranking model: errors and calibration of its heads, and TFMA's metrics by slice."""

from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import Cell, TableRow
from schema.evaluation_summary import LabelSummary
from schema.run_summary import AnalysisSlice, AnalysisSummary

_LABEL_ERRORS = (
    ("rmse", "bias_baseline_rmse", "RMSE"),
    ("mae", "bias_baseline_mae", "MAE"),
    ("log_loss", "", "log loss"),
    ("expected_calibration_error", "uncalibrated_expected_calibration_error", "calibration error"),
)
_OVERALL = "Overall"
_EXAMPLE_COUNT = "example_count"


def add_labels_section(body: Element, labels: dict[str, LabelSummary]) -> None:
    """Adds a table of all labels, and a reliability diagram of each binary one; nothing without
    labels.
    """
    if not labels:
        return
    part = elements.add_section(
        body, "Predicted labels",
        "Errors on test events. The bias baseline adds the means of user and item to the "
        "global one: a head that is not below it has learned nothing about the pair.",
    )  # fmt: skip
    header = ["label", "events", *(name for _, _, name in _LABEL_ERRORS)]
    elements.add_table(
        part, header, [_make_label_row(name, label) for name, label in labels.items()]
    )
    grid = elements.add_plot_grid(part, "thirds")
    for name, label in labels.items():
        if label.reliability:
            title = f"Reliability of {name}"
            elements.add_plot(grid, draw_reliability(label), title, describe_reliability(label))


def draw_reliability(label: LabelSummary) -> Figure:
    """Draws observed over predicted frequency, a point per bin, sized by the bin's events."""
    bins = [each for each in label.reliability if each.events]
    most = max(each.events for each in bins)
    predicted = [each.predicted for each in bins]
    observed = [each.observed for each in bins]
    top = max(*predicted, *observed) * 1.08
    with charts.open_axes("third", 3.4) as (figure, axes):
        axes.plot([0, top], [0, top], color=charts.MUTED.light, linewidth=1, linestyle=(0, (4, 3)))
        sizes = [12 + 48 * each.events / most for each in bins]
        axes.plot(predicted, observed, color=charts.SOFT.light, linewidth=1)
        axes.scatter(predicted, observed, sizes, color=charts.ACCENT.light, zorder=3)
        axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
        axes.set_xlabel("predicted probability (mean of the bin)")
        axes.set_ylabel("observed share of events")
    return figure


def describe_reliability(label: LabelSummary) -> str:
    """Describes the bin furthest from the diagonal."""
    bins = [each for each in label.reliability if each.events]
    worst = max(bins, key=lambda each: abs(each.observed - each.predicted))
    return (
        f"On the dashed line predictions are calibrated. Furthest from it: "
        f"{wording.format_number(worst.predicted)} predicted, "
        f"{wording.format_number(worst.observed)} observed ({worst.events:,} events)."
    )


def _make_label_row(name: str, label: LabelSummary) -> TableRow:
    cells = [_make_error_cell(label, key, baseline) for key, baseline, _ in _LABEL_ERRORS]
    return TableRow([Cell(name, label.note or label.kind), f"{label.events:,}", *cells])


def _make_error_cell(label: LabelSummary, key: str, baseline: str) -> Cell:
    """`baseline` is the key of the error to compare with, or empty."""
    value, other = getattr(label, key), getattr(label, baseline, None)
    if value is None or other is None:
        return Cell(wording.format_number(value))
    name = "bias baseline" if baseline.startswith("bias") else "before calibration"
    kind = "good" if value < other else "bad"
    return Cell(wording.format_number(value), f"{name} {wording.format_number(other)}", kind)


def add_analysis_section(body: Element, analysis: AnalysisSummary) -> None:
    """Adds a table per head, with its slices collapsed; nothing without an analysis."""
    if not analysis.slices:
        return
    part = elements.add_section(
        body, "Ranking model by TFMA",
        "TensorFlow Model Analysis on the ranking model's own predictions on test. Calibration is "
        "the mean prediction over the mean label: 1 if they agree. A dash is an "
        "undefined metric.",
    )  # fmt: skip
    for head, columns in group_metrics_by_head(analysis.slices).items():
        _add_head(part, head, columns, analysis.slices)
    for head, described in analysis.heads.items():
        if described.note:
            elements.add_text(part, "p", f"{head}: {described.note}")
    if analysis.artifact:
        text = f"For notebooks: tfma.load_eval_result({analysis.artifact!r})"
        elements.add_text(part, "p", text, "lead")


def group_metrics_by_head(slices: dict[str, AnalysisSlice]) -> dict[str, list[str]]:
    """The metrics that some slice has, by head, counts first. Keys of a slice are
    `<head>/<metric>`.
    """
    named = {key: None for row in slices.values() for key in row.metrics}
    split: dict[str, list[str]] = {}
    for key in sorted(named, key=lambda key: not key.endswith(_EXAMPLE_COUNT)):
        head, _, metric = key.rpartition("/")
        split.setdefault(head, []).append(metric)
    return dict(sorted(split.items()))


def _add_head(
    part: Element, head: str, columns: list[str], slices: dict[str, AnalysisSlice]
) -> None:
    header = ["", *map(wording.format_name, columns)]
    rows = {
        name: _make_analysis_row(name, row, head, columns)
        for name, row in slices.items()
        if any(_make_metric_key(head, column) in row.metrics for column in columns)
    }
    elements.add_text(part, "h3", f"Head {head}" if head else "Model")
    elements.add_table(part, header, [row for name, row in rows.items() if name == _OVERALL])
    others = [row for name, row in rows.items() if name != _OVERALL]
    if others:
        details = elements.add_details(part, f"{len(others)} slices of {head or 'the model'}")
        elements.add_table(details, header, others)


def _make_analysis_row(name: str, row: AnalysisSlice, head: str, columns: list[str]) -> TableRow:
    cells = [
        _make_analysis_cell(column, row.metrics.get(_make_metric_key(head, column)))
        for column in columns
    ]
    return TableRow([name, *cells], name == _OVERALL)


def _make_analysis_cell(column: str, value: float | None) -> Cell:
    """Counts are formatted as integers, although TFMA has them as floats."""
    if column == _EXAMPLE_COUNT and value is not None:
        return Cell(wording.format_number(round(value)))
    return Cell(wording.format_number(value))


def _make_metric_key(head: str, metric: str) -> str:
    return f"{head}/{metric}" if head else metric
