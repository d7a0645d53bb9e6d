"""Gaps between declared groups of users, and what attention groups of items get."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.charts import Dot
from pipeline.report.html.elements import Cell, TableRow

FairnessRow = dict[str, Any]


def add_fairness_section(body: Element, summary: dict[str, Any]) -> None:
    """Left out where no group is declared."""
    users = summary.get("fairness", {}).get("users", {})
    items = summary.get("fairness", {}).get("items", {})
    if not users and not items:
        return
    part = elements.add_section(
        body, "Fairness",
        "Groups that the configuration declares. The gap is taken between the best and the worst "
        "group and held against its limit: with many equal groups some gap is always there.",
    )  # fmt: skip
    grid = elements.add_plot_grid(part, "thirds")
    for name, found in users.items():
        _add_group_plot(grid, name, found, _draw_user_groups, describe_user_gap)
    for name, found in items.items():
        _add_group_plot(grid, name, found, draw_exposure, describe_item_gap)
    details = elements.add_details(part, "All groups in numbers")
    for name, found in users.items():
        _add_group_table(
            details, name, found, {"metric": wording.format_name(found.get("metric") or "metric")}
        )
    for name, found in items.items():
        _add_group_table(
            details, name, found, {k: k for k in ("exposure", "relevance", "difference")}
        )


def _add_group_plot(
    grid: Element,
    name: str,
    found: FairnessRow,
    draw: Callable[[FairnessRow], Figure],
    caption: Callable[[FairnessRow], str],
) -> None:
    if any("metric" in row or "exposure" in row for row in found["groups"].values()):
        elements.add_plot(grid, draw(found), name, caption(found))
    else:
        elements.add_text(grid, "p", f"{name}: {caption(found)}")


def describe_user_gap(found: FairnessRow) -> str:
    """The gap, its interval and its limit; or why there is none."""
    if "gap" not in found:
        return f"Not measured: {found['note'].removeprefix('no gap: ')}."
    gap = found["gap"]
    difference = f"{wording.format_number(gap['value'])} ({wording.format_interval(gap)})"
    limit = _describe_limit(gap["value"], found.get("limit"))
    return f"{found['best']} is {difference} above {found['worst']}. {limit}"


def describe_item_gap(found: FairnessRow) -> str:
    """The greatest difference of exposure and relevance."""
    if "gap" not in found:
        return f"Not measured: {found['note'].removeprefix('no gap: ')}."
    widest = found["groups"][found["widest"]]["difference"]["value"]
    way = "more" if widest > 0 else "less"
    note = f" Note: {found['note']}." if found.get("note") else ""
    return (
        f"Dot: share of the attention that the first 10 places give. Bar: share of what users "
        f"took. {found['widest']} gets {wording.format_share(abs(widest), 1)} {way} than it is "
        f"worth. {_describe_limit(found['gap'], found.get('limit'))}{note}"
    )


def draw_exposure(found: FairnessRow) -> Figure:
    """Exposure with its interval on relevance, a row a group."""
    groups = {n: row for n, row in found["groups"].items() if "exposure" in row}
    with charts.open_axes("third", 0.62 + 0.23 * len(groups)) as (figure, axes):
        relevance = [row["relevance"]["value"] for row in groups.values()]
        axes.barh(range(len(groups)), relevance, height=0.55, color=charts.SOFT.light)
        for place, row in enumerate(groups.values()):
            exposure = row["exposure"]
            colour = charts.ACCENT.light
            axes.plot([exposure["low"], exposure["high"]], [place, place], color=colour)
            axes.plot([exposure["value"]], [place], "o", color=colour, markersize=5)
        axes.set_yticks(range(len(groups)), [wording.shorten(name) for name in groups])
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("share of exposure (dot) and of relevance (bar)")
        charts.hide_y_axis(axes)
    return figure


def _draw_user_groups(found: FairnessRow) -> Figure:
    shown = [
        Dot(name, metric["value"], metric["low"], metric["high"], "note" not in row)
        for name, row in found["groups"].items()
        if (metric := row.get("metric"))
    ]
    return charts.draw_dots(
        shown, f"{wording.format_name(found.get('metric') or 'metric')} (95 % interval)"
    )


def _describe_limit(gap: float, limit: float | None) -> str:
    if limit is None:
        return "No limit is set."
    return f"The limit is {wording.format_number(limit)}: {'kept' if gap <= limit else 'broken'}."


def _add_group_table(
    parent: Element, title: str, found: FairnessRow, columns: dict[str, str]
) -> None:
    """`columns`: key of a group's interval -> heading. Groups of items have no count of users."""
    if not found["groups"]:
        return
    elements.add_text(parent, "h3", title)
    counts = ["users"] if any("users" in row for row in found["groups"].values()) else []
    rows = []
    for name, row in found["groups"].items():
        cells = [
            Cell(wording.format_number(row[key]["value"]), wording.format_interval(row[key]))
            if key in row
            else Cell("–")
            for key in columns
        ]
        users = [f"{row[count]:,}" for count in counts]
        rows.append(TableRow([Cell(name, row.get("note", "")), *users, *cells]))
    elements.add_table(parent, ["group", *counts, *columns.values()], rows)
