"""Gaps between declared groups of users, and what attention groups of items get."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import Cell, Row
from pipeline.report_page import dots, palette
from pipeline.report_page.dots import Dot

Measured = dict[str, Any]


def add(body: Element, summary: dict[str, Any]) -> None:
    """Left out where no group is declared."""
    users = summary.get("fairness", {}).get("users", {})
    items = summary.get("fairness", {}).get("items", {})
    if not users and not items:
        return
    part = elements.section(
        body, "Fairness",
        "Groups that the configuration declares. The gap is taken between the best and the worst "
        "group and held against its limit: with many equal groups some gap is always there.",
    )  # fmt: skip
    grid = elements.plots(part, "thirds")
    for name, found in users.items():
        _plot(grid, name, found, _of_users, user_caption)
    for name, found in items.items():
        _plot(grid, name, found, shares, item_caption)
    details = elements.folded(part, "All groups in numbers")
    for name, found in users.items():
        _table(details, name, found, {"metric": wording.name(found.get("metric") or "metric")})
    for name, found in items.items():
        _table(details, name, found, {k: k for k in ("exposure", "relevance", "difference")})


def _plot(
    grid: Element,
    name: str,
    found: Measured,
    draw: Callable[[Measured], Figure],
    caption: Callable[[Measured], str],
) -> None:
    if any("metric" in row or "exposure" in row for row in found["groups"].values()):
        elements.plot(grid, draw(found), name, caption(found))
    else:
        elements.text(grid, "p", f"{name}: {caption(found)}")


def user_caption(found: Measured) -> str:
    """The gap, its interval and its limit; or why there is none."""
    if "gap" not in found:
        return f"Not measured: {found['note'].removeprefix('no gap: ')}."
    gap = found["gap"]
    return (
        f"{found['best']} is {wording.number(gap['value'])} ({wording.interval(gap)}) above "
        f"{found['worst']}. {_limit(gap['value'], found.get('limit'))}"
    )


def item_caption(found: Measured) -> str:
    """The greatest difference of exposure and relevance."""
    if "gap" not in found:
        return f"Not measured: {found['note'].removeprefix('no gap: ')}."
    widest = found["groups"][found["widest"]]["difference"]["value"]
    way = "more" if widest > 0 else "less"
    note = f" Note: {found['note']}." if found.get("note") else ""
    return (
        f"Dot: share of the attention that the first 10 places give. Bar: share of what users "
        f"took. {found['widest']} gets {wording.share(abs(widest), 1)} {way} than it is worth. "
        f"{_limit(found['gap'], found.get('limit'))}{note}"
    )


def shares(found: Measured) -> Figure:
    """Exposure with its interval on relevance, a row a group."""
    groups = {n: row for n, row in found["groups"].items() if "exposure" in row}
    with charts.axes("third", 0.62 + 0.23 * len(groups)) as (figure, axes):
        relevance = [row["relevance"]["value"] for row in groups.values()]
        axes.barh(range(len(groups)), relevance, height=0.55, color=palette.SOFT.light)
        for place, row in enumerate(groups.values()):
            exposure = row["exposure"]
            colour = palette.ACCENT.light
            axes.plot([exposure["low"], exposure["high"]], [place, place], color=colour)
            axes.plot([exposure["value"]], [place], "o", color=colour, markersize=5)
        axes.set_yticks(range(len(groups)), [wording.short(name) for name in groups])
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("share of exposure (dot) and of relevance (bar)")
        charts.no_y_axis(axes)
    return figure


def _of_users(found: Measured) -> Figure:
    shown = [
        Dot(name, metric["value"], metric["low"], metric["high"], "note" not in row)
        for name, row in found["groups"].items()
        if (metric := row.get("metric"))
    ]
    return dots.draw(shown, f"{wording.name(found.get('metric') or 'metric')} (95 % interval)")


def _limit(gap: float, limit: float | None) -> str:
    if limit is None:
        return "No limit is set."
    return f"The limit is {wording.number(limit)}: {'kept' if gap <= limit else 'broken'}."


def _table(parent: Element, title: str, found: Measured, columns: dict[str, str]) -> None:
    """`columns`: key of a group's interval -> heading. Groups of items have no count of users."""
    if not found["groups"]:
        return
    elements.text(parent, "h3", title)
    counts = ["users"] if any("users" in row for row in found["groups"].values()) else []
    rows = []
    for name, row in found["groups"].items():
        cells = [
            Cell(wording.number(row[key]["value"]), wording.interval(row[key]))
            if key in row
            else Cell("–")
            for key in columns
        ]
        users = [f"{row[count]:,}" for count in counts]
        rows.append(Row([Cell(name, row.get("note", "")), *users, *cells]))
    elements.table(parent, ["group", *counts, *columns.values()], rows)
