"""The days of a backfill as one page: quality by day, and what retraining was worth."""

import pathlib
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from matplotlib.figure import Figure

from pipeline import backfill_table
from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import Cell
from pipeline.report.retraining_value import LEFT_ALONE, METRICS, NEVER_RETRAINED, RETRAINED, Row
from pipeline.report_page import palette, stylesheet
from schema.storage import atomic

_LINES = {
    RETRAINED: (palette.ACCENT, "-"),
    NEVER_RETRAINED: (palette.BAD, "-"),
    LEFT_ALONE: (palette.BAD, "--"),
    "popular": (palette.MUTED, "-"),
    "recent": (palette.MUTED, "--"),
}
_LEAD = (
    "Each day's events, asked of the models that had learned the days before it; of the oldest "
    "pushed version with that day's popularity (never retrained), and with nothing new at all "
    "(left alone); and of two counters. All answer the same users with the same histories."
)


def write(record: dict[str, Any], path: pathlib.Path) -> pathlib.Path:
    """Writes the page whole or not at all, and returns its path."""
    with atomic.open_text(path) as append:
        append(render(record))
    return path


def render(record: dict[str, Any]) -> str:
    """The page as HTML: no script, and nothing that is loaded from elsewhere."""
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    elements.text(head, "title", f"Tandem: {record['name']}, day by day")
    SubElement(head, "style").text = stylesheet.text()
    body = SubElement(html, "body")
    elements.text(body, "h1", f"{record['name']}, day by day")
    elements.text(body, "p", backfill_table.sentence(record["overall"]))
    _curves(body, record["days"])
    _days(body, record["days"])
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _curves(body: Element, days: list[Row]) -> None:
    measured = [row for row in days if row["quality"]]
    part = elements.section(body, "Freshness", _LEAD)
    grid = elements.plots(part, "halves")
    for metric in METRICS if measured else ():
        title = f"{wording.name(metric)} by day"
        caption = "A day on which nothing was pushed has a hollow point."
        elements.plot(grid, _quality(measured, metric), title, caption)
    compared = [row for row in days if row["difference"]]
    if compared:
        caption = "Above zero retraining pays; bars are 95 % intervals over the day's users."
        elements.plot(grid, _differences(compared), "Retrained minus never retrained", caption)


def _quality(days: list[Row], metric: str) -> Figure:
    spans = [row["span"] for row in days]
    with charts.axes("half", 3.0) as (figure, axes):
        for name, (colour, dash) in _LINES.items():
            values = [row["quality"].get(name, {}).get(metric, float("nan")) for row in days]
            axes.plot(spans, values, dash, color=colour.light, label=wording.name(name))
        for row in days:
            filled = palette.ACCENT.light if row["pushed"] else "none"
            axes.plot(
                [row["span"]], [row["quality"][RETRAINED][metric]], "o", markersize=5,
                color=palette.ACCENT.light, markerfacecolor=filled,
            )  # fmt: skip
        axes.set_ylabel(f"{wording.name(metric)} (mean over users)")
        axes.set_ylim(bottom=0)
        axes.tick_params(axis="x", rotation=45)
        figure.legend(loc="outside upper left", ncols=3, handlelength=2.2)
    return figure


def _differences(days: list[Row]) -> Figure:
    metric = METRICS[0]
    with charts.axes("half", 3.0) as (figure, axes):
        for row in days:
            found = row["difference"][metric]
            axes.plot([row["span"]] * 2, [found["low"], found["high"]], color=palette.ACCENT.light)
            axes.plot([row["span"]], [found["value"]], "o", color=palette.ACCENT.light)
        axes.axhline(0, color=palette.INK.light, linewidth=1)
        axes.set_ylabel(f"difference in {wording.name(metric)}")
        axes.tick_params(axis="x", rotation=45)
    return figure


def _days(body: Element, days: list[Row]) -> None:
    part = elements.section(body, "Days", "NDCG@10, and what became of each day's models.")
    header = ["day", "outcome", "users", *(wording.name(name) for name in _LINES), "seconds"]
    elements.table(part, header, [_row(row) for row in days], texts=2)


def _row(row: Row) -> elements.Row:
    if row["pushed"]:
        outcome = Cell(f"version {row['pushed']}", kind="good")
    else:
        outcome = Cell("not pushed", "; ".join(row["broken"]), "bad")
    values = [row["quality"].get(name, {}).get(METRICS[0]) for name in _LINES]
    seconds = wording.number(row.get("seconds"))
    numbers = [wording.number(value) for value in values]
    return elements.Row([row["span"], outcome, str(row["users"]), *numbers, seconds])
