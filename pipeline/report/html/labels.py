"""How far the ranking heads' predictions are off, and whether probabilities mean what they say."""

from typing import Any
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import Cell, Row
from pipeline.report_page import palette

_MEASURES = (
    ("rmse", "bias_baseline_rmse", "RMSE"),
    ("mae", "bias_baseline_mae", "MAE"),
    ("log_loss", "", "log loss"),
    ("expected_calibration_error", "uncalibrated_expected_calibration_error", "calibration error"),
)
Label = dict[str, Any]


def add(body: Element, summary: dict[str, Any]) -> None:
    """A table of all labels, and a reliability diagram of each binary one."""
    found: dict[str, Label] = summary["ranking"].get("labels", {})
    if not found:
        return
    part = elements.section(
        body, "Predicted labels",
        "Errors on test events. The bias baseline adds the means of user and item to the "
        "global one: a head that is not below it has learned nothing about the pair.",
    )  # fmt: skip
    header = ["label", "events", *(name for _, _, name in _MEASURES)]
    elements.table(part, header, [_row(name, label) for name, label in found.items()])
    grid = elements.plots(part, "thirds")
    for name, label in found.items():
        if label.get("reliability"):
            title = f"Reliability of {name}"
            elements.plot(grid, reliability(label), title, reliability_caption(label))


def reliability(label: Label) -> Figure:
    """Observed against predicted frequency, a point a bin, as large as the bin's events."""
    bins = [each for each in label["reliability"] if each["events"]]
    most = max(each["events"] for each in bins)
    predicted = [each["predicted"] for each in bins]
    observed = [each["observed"] for each in bins]
    top = max(*predicted, *observed) * 1.08
    with charts.axes("third", 3.4) as (figure, axes):
        axes.plot([0, top], [0, top], color=palette.MUTED.light, linewidth=1, linestyle=(0, (4, 3)))
        sizes = [12 + 48 * each["events"] / most for each in bins]
        axes.plot(predicted, observed, color=palette.SOFT.light, linewidth=1)
        axes.scatter(predicted, observed, sizes, color=palette.ACCENT.light, zorder=3)
        axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
        axes.set_xlabel("predicted probability (mean of the bin)")
        axes.set_ylabel("observed share of events")
    return figure


def reliability_caption(label: Label) -> str:
    """The bin furthest from the diagonal."""
    bins = [each for each in label["reliability"] if each["events"]]
    worst = max(bins, key=lambda each: abs(each["observed"] - each["predicted"]))
    return (
        f"On the dashed line a probability means what it says. Furthest from it: "
        f"{wording.number(worst['predicted'])} predicted, {wording.number(worst['observed'])} "
        f"observed ({worst['events']:,} events)."
    )


def _row(name: str, label: Label) -> Row:
    cells = [_measure(label, key, beside) for key, beside, _ in _MEASURES]
    return Row([Cell(name, label.get("note", label.get("kind", ""))),
                f"{label['events']:,}", *cells])  # fmt: skip


def _measure(label: Label, key: str, beside: str) -> Cell:
    if label.get(key) is None:
        return Cell("–")
    if label.get(beside) is None:
        return Cell(wording.number(label[key]))
    what = "bias baseline" if beside.startswith("bias") else "before calibration"
    kind = "good" if label[key] < label[beside] else "bad"
    return Cell(wording.number(label[key]), f"{what} {wording.number(label[beside])}", kind)
