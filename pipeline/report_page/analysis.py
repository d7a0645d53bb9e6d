"""What TensorFlow Model Analysis says of the ranking model, slice by slice."""

from typing import Any
from xml.etree.ElementTree import Element

from pipeline.report_page import blocks, wording
from pipeline.report_page.blocks import Cell, Row


def add(body: Element, summary: dict[str, Any]) -> None:
    """Left out where the run had no such analysis."""
    found: dict[str, dict[str, Any]] = (summary.get("analysis") or {}).get("slices", {})
    if not found:
        return
    part = blocks.section(
        body, "Ranking model by TFMA",
        "TensorFlow Model Analysis on the ranking model's own predictions; a dash where a metric "
        "is undefined on a slice.",
    )  # fmt: skip
    columns = columns_of(found)
    overall = {name: row for name, row in found.items() if name == "Overall"}
    others = {name: row for name, row in found.items() if name not in overall}
    header = ["slice", *map(wording.name, columns)]
    blocks.table(part, header, [_row(name, row, columns) for name, row in overall.items()])
    if others:
        details = blocks.folded(part, f"{len(others)} slices in numbers")
        blocks.table(details, header, [_row(name, row, columns) for name, row in others.items()])
    artifact = summary["analysis"].get("artifact")
    if artifact:
        said = f"For notebooks: tfma.load_eval_result({artifact!r})"
        blocks.text(part, "p", said, "lead")


def columns_of(found: dict[str, dict[str, Any]]) -> list[str]:
    """Every metric that some slice has, in the order of first appearance."""
    return list(
        dict.fromkeys(
            name
            for row in found.values()
            for name, value in row.items()
            if isinstance(value, int | float)
        )
    )


def _row(name: str, row: dict[str, Any], columns: list[str]) -> Row:
    note = row.get("note")
    cells = [wording.number(row.get(column)) for column in columns]
    return Row([Cell(name, note if isinstance(note, str) else ""), *cells], name == "Overall")
