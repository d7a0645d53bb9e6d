"""A backfill as one HTML page: quality by day, and what retraining was worth."""

import pathlib
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from matplotlib.figure import Figure

from pipeline.report import retraining_value
from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import Cell
from pipeline.report.retraining_value import (
    LEFT_ALONE,
    METRICS,
    NEVER_RETRAINED,
    RETRAINED,
    DayRecord,
)
from schema.storage import atomic

_LINES = {
    RETRAINED: (charts.ACCENT, "-"),
    NEVER_RETRAINED: (charts.BAD, "-"),
    LEFT_ALONE: (charts.BAD, "--"),
    "popular": (charts.MUTED, "-"),
    "recent": (charts.MUTED, "--"),
}
_LEAD = (
    "Quality on each day's events: of the models trained on the days before it; of the oldest "
    "pushed version with that day's popularity (never retrained), and with its own (left alone); "
    "and of two baselines. All rank for the same users with the same histories."
)


def write_page(record: dict[str, Any], path: pathlib.Path) -> pathlib.Path:
    """Writes the page atomically, and returns its path."""
    with atomic.open_text(path) as append:
        append(render_page(record))
    return path


def render_page(record: dict[str, Any]) -> str:
    """Renders the page as HTML, without scripts and without external resources."""
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    elements.add_text(head, "title", f"Tandem: {record['name']}, day by day")
    SubElement(head, "style").text = elements.render_stylesheet()
    body = SubElement(html, "body")
    elements.add_text(body, "h1", f"{record['name']}, day by day")
    elements.add_text(body, "p", retraining_value.format_overall(record["overall"]))
    _add_curves(body, record["days"])
    _add_days(body, record["days"])
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _add_curves(body: Element, days: list[DayRecord]) -> None:
    measured = [row for row in days if row["quality"]]
    part = elements.add_section(body, "Freshness", _LEAD)
    grid = elements.add_plot_grid(part, "halves")
    for metric in METRICS if measured else ():
        title = f"{wording.format_name(metric)} by day"
        caption = "A day on which nothing was pushed has a hollow point."
        elements.add_plot(grid, _draw_quality(measured, metric), title, caption)
    compared = [row for row in days if row["difference"]]
    if compared:
        caption = "Above zero retraining pays; bars are 95 % intervals over the day's users."
        elements.add_plot(
            grid, _draw_differences(compared), "Retrained minus never retrained", caption
        )


def _draw_quality(days: list[DayRecord], metric: str) -> Figure:
    spans = [row["span"] for row in days]
    with charts.open_axes("half", 3.0) as (figure, axes):
        for name, (colour, dash) in _LINES.items():
            values = [row["quality"].get(name, {}).get(metric, float("nan")) for row in days]
            axes.plot(spans, values, dash, color=colour.light, label=wording.format_name(name))
        for row in days:
            filled = charts.ACCENT.light if row["pushed"] else "none"
            axes.plot(
                [row["span"]], [row["quality"][RETRAINED][metric]], "o", markersize=5,
                color=charts.ACCENT.light, markerfacecolor=filled,
            )  # fmt: skip
        axes.set_ylabel(f"{wording.format_name(metric)} (mean over users)")
        axes.set_ylim(bottom=0)
        axes.tick_params(axis="x", rotation=45)
        figure.legend(loc="outside upper left", ncols=3, handlelength=2.2)
    return figure


def _draw_differences(days: list[DayRecord]) -> Figure:
    metric = METRICS[0]
    with charts.open_axes("half", 3.0) as (figure, axes):
        for row in days:
            difference = row["difference"][metric]
            axes.plot(
                [row["span"]] * 2,
                [difference["low"], difference["high"]],
                color=charts.ACCENT.light,
            )
            axes.plot([row["span"]], [difference["value"]], "o", color=charts.ACCENT.light)
        axes.axhline(0, color=charts.INK.light, linewidth=1)
        axes.set_ylabel(f"difference in {wording.format_name(metric)}")
        axes.tick_params(axis="x", rotation=45)
    return figure


def _add_days(body: Element, days: list[DayRecord]) -> None:
    part = elements.add_section(body, "Days", "NDCG@10, and whether each day's models were pushed.")
    header = ["day", "outcome", "users", *(wording.format_name(name) for name in _LINES), "seconds"]
    elements.add_table(part, header, [_make_day_row(row) for row in days], texts=2)


def _make_day_row(row: DayRecord) -> elements.TableRow:
    if row["pushed"]:
        outcome = Cell(f"version {row['pushed']}", kind="good")
    else:
        outcome = Cell("not pushed", "; ".join(row["broken"]), "bad")
    values = [row["quality"].get(name, {}).get(METRICS[0]) for name in _LINES]
    seconds = wording.format_number(row.get("seconds"))
    numbers = [wording.format_number(value) for value in values]
    return elements.TableRow([row["span"], outcome, str(row["users"]), *numbers, seconds])
