"""What TensorFlow Model Analysis says of the ranking model, head by head and slice by slice."""

from typing import Any
from xml.etree.ElementTree import Element

from pipeline.report.html import elements, wording
from pipeline.report.html.elements import Cell, Row

_OVERALL = "Overall"
_COUNT = "example_count"
Slices = dict[str, dict[str, Any]]


def add(body: Element, summary: dict[str, Any]) -> None:
    """A table for each head, of all rows; its slices folded. Left out where there was no such
    analysis.
    """
    analysis = summary.get("analysis") or {}
    found: Slices = analysis.get("slices", {})
    if not found:
        return
    part = elements.section(
        body, "Ranking model by TFMA",
        "TensorFlow Model Analysis on the ranking model's own predictions on test. Calibration is "
        "the mean prediction over the mean label: 1 where they agree. A dash stands where a metric "
        "is undefined.",
    )  # fmt: skip
    for head, columns in heads(found).items():
        _head(part, head, columns, found)
    for head, described in analysis.get("heads", {}).items():
        if "note" in described:
            elements.text(part, "p", f"{head}: {described['note']}")
    if "artifact" in analysis:
        said = f"For notebooks: tfma.load_eval_result({analysis['artifact']!r})"
        elements.text(part, "p", said, "lead")


def heads(found: Slices) -> dict[str, list[str]]:
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
    for key in sorted(named, key=lambda key: not key.endswith(_COUNT)):
        head, _, metric = key.rpartition("/")
        split.setdefault(head, []).append(metric)
    return dict(sorted(split.items()))


def _head(part: Element, head: str, columns: list[str], found: Slices) -> None:
    header = ["", *map(wording.name, columns)]
    rows = {
        name: _row(name, row, head, columns)
        for name, row in found.items()
        if any(_key(head, column) in row for column in columns)
    }
    elements.text(part, "h3", f"Head {head}" if head else "Model")
    elements.table(part, header, [row for name, row in rows.items() if name == _OVERALL])
    others = [row for name, row in rows.items() if name != _OVERALL]
    if others:
        details = elements.folded(part, f"{len(others)} slices of {head or 'the model'}")
        elements.table(details, header, others)


def _row(name: str, row: dict[str, Any], head: str, columns: list[str]) -> Row:
    cells = [_cell(column, row.get(_key(head, column))) for column in columns]
    return Row([name, *cells], name == _OVERALL)


def _cell(column: str, value: float | None) -> Cell:
    """Counts are whole, though TFMA keeps them as real numbers."""
    if column == _COUNT and value is not None:
        return Cell(wording.number(round(value)))
    return Cell(wording.number(value))


def _key(head: str, metric: str) -> str:
    return f"{head}/{metric}" if head else metric
