"""How far the ranking heads' predictions are off, and whether probabilities mean what they say.

What TensorFlow Model Analysis says of the ranking model, head by head and slice by slice.
"""

from typing import Any
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import Cell, TableRow

_LABEL_ERRORS = (
    ("rmse", "bias_baseline_rmse", "RMSE"),
    ("mae", "bias_baseline_mae", "MAE"),
    ("log_loss", "", "log loss"),
    ("expected_calibration_error", "uncalibrated_expected_calibration_error", "calibration error"),
)
LabelRow = dict[str, Any]
_OVERALL = "Overall"
_EXAMPLE_COUNT = "example_count"
AnalysisRows = dict[str, dict[str, Any]]


def add_labels_section(body: Element, summary: dict[str, Any]) -> None:
    """A table of all labels, and a reliability diagram of each binary one."""
    found: dict[str, LabelRow] = summary["ranking"].get("labels", {})
    if not found:
        return
    part = elements.add_section(
        body, "Predicted labels",
        "Errors on test events. The bias baseline adds the means of user and item to the "
        "global one: a head that is not below it has learned nothing about the pair.",
    )  # fmt: skip
    header = ["label", "events", *(name for _, _, name in _LABEL_ERRORS)]
    elements.add_table(
        part, header, [_make_label_row(name, label) for name, label in found.items()]
    )
    grid = elements.add_plot_grid(part, "thirds")
    for name, label in found.items():
        if label.get("reliability"):
            title = f"Reliability of {name}"
            elements.add_plot(grid, draw_reliability(label), title, describe_reliability(label))


def draw_reliability(label: LabelRow) -> Figure:
    """Observed against predicted frequency, a point a bin, as large as the bin's events."""
    bins = [each for each in label["reliability"] if each["events"]]
    most = max(each["events"] for each in bins)
    predicted = [each["predicted"] for each in bins]
    observed = [each["observed"] for each in bins]
    top = max(*predicted, *observed) * 1.08
    with charts.open_axes("third", 3.4) as (figure, axes):
        axes.plot([0, top], [0, top], color=charts.MUTED.light, linewidth=1, linestyle=(0, (4, 3)))
        sizes = [12 + 48 * each["events"] / most for each in bins]
        axes.plot(predicted, observed, color=charts.SOFT.light, linewidth=1)
        axes.scatter(predicted, observed, sizes, color=charts.ACCENT.light, zorder=3)
        axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
        axes.set_xlabel("predicted probability (mean of the bin)")
        axes.set_ylabel("observed share of events")
    return figure


def describe_reliability(label: LabelRow) -> str:
    """The bin furthest from the diagonal."""
    bins = [each for each in label["reliability"] if each["events"]]
    worst = max(bins, key=lambda each: abs(each["observed"] - each["predicted"]))
    return (
        f"On the dashed line a probability means what it says. Furthest from it: "
        f"{wording.format_number(worst['predicted'])} predicted, "
        f"{wording.format_number(worst['observed'])} observed ({worst['events']:,} events)."
    )


def _make_label_row(name: str, label: LabelRow) -> TableRow:
    cells = [_make_error_cell(label, key, beside) for key, beside, _ in _LABEL_ERRORS]
    return TableRow([Cell(name, label.get("note", label.get("kind", ""))),
                f"{label['events']:,}", *cells])  # fmt: skip


def _make_error_cell(label: LabelRow, key: str, beside: str) -> Cell:
    if label.get(key) is None:
        return Cell("–")
    if label.get(beside) is None:
        return Cell(wording.format_number(label[key]))
    what = "bias baseline" if beside.startswith("bias") else "before calibration"
    kind = "good" if label[key] < label[beside] else "bad"
    return Cell(
        wording.format_number(label[key]), f"{what} {wording.format_number(label[beside])}", kind
    )


def add_analysis_section(body: Element, summary: dict[str, Any]) -> None:
    """A table for each head, of all rows; its slices folded. Left out where there was no such
    analysis.
    """
    analysis = summary.get("analysis") or {}
    found: AnalysisRows = analysis.get("slices", {})
    if not found:
        return
    part = elements.add_section(
        body, "Ranking model by TFMA",
        "TensorFlow Model Analysis on the ranking model's own predictions on test. Calibration is "
        "the mean prediction over the mean label: 1 where they agree. A dash stands where a metric "
        "is undefined.",
    )  # fmt: skip
    for head, columns in group_metrics_by_head(found).items():
        _add_head(part, head, columns, found)
    for head, described in analysis.get("heads", {}).items():
        if "note" in described:
            elements.add_text(part, "p", f"{head}: {described['note']}")
    if "artifact" in analysis:
        said = f"For notebooks: tfma.load_eval_result({analysis['artifact']!r})"
        elements.add_text(part, "p", said, "lead")


def group_metrics_by_head(found: AnalysisRows) -> dict[str, list[str]]:
    """Metrics that some slice has, by head: keys of a slice are `<head>/<metric>`. Counts come
    first.
    """
    named = {
        key: None
        for row in found.values()
        for key, value in row.items()
        if isinstance(value, int | float)
    }
    split: dict[str, list[str]] = {}
    for key in sorted(named, key=lambda key: not key.endswith(_EXAMPLE_COUNT)):
        head, _, metric = key.rpartition("/")
        split.setdefault(head, []).append(metric)
    return dict(sorted(split.items()))


def _add_head(part: Element, head: str, columns: list[str], found: AnalysisRows) -> None:
    header = ["", *map(wording.format_name, columns)]
    rows = {
        name: _make_analysis_row(name, row, head, columns)
        for name, row in found.items()
        if any(_make_metric_key(head, column) in row for column in columns)
    }
    elements.add_text(part, "h3", f"Head {head}" if head else "Model")
    elements.add_table(part, header, [row for name, row in rows.items() if name == _OVERALL])
    others = [row for name, row in rows.items() if name != _OVERALL]
    if others:
        details = elements.add_details(part, f"{len(others)} slices of {head or 'the model'}")
        elements.add_table(details, header, others)


def _make_analysis_row(name: str, row: dict[str, Any], head: str, columns: list[str]) -> TableRow:
    cells = [
        _make_analysis_cell(column, row.get(_make_metric_key(head, column))) for column in columns
    ]
    return TableRow([name, *cells], name == _OVERALL)


def _make_analysis_cell(column: str, value: float | None) -> Cell:
    """Counts are whole, though TFMA keeps them as real numbers."""
    if column == _EXAMPLE_COUNT and value is not None:
        return Cell(wording.format_number(round(value)))
    return Cell(wording.format_number(value))


def _make_metric_key(head: str, metric: str) -> str:
    return f"{head}/{metric}" if head else metric
