"""Gaps between declared groups of users, and the exposure that groups of items get."""

from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.charts import Dot
from pipeline.report.html.elements import Cell, TableRow
from schema.evaluation_summary import (
    FairnessSummary,
    FairnessTable,
    ItemFairness,
    MetricInterval,
    UserFairness,
)


def add_fairness_section(body: Element, fairness: FairnessSummary) -> None:
    """Adds a plot and a table for each declared feature; nothing where none is declared."""
    if not fairness.users and not fairness.items:
        return
    part = elements.add_section(
        body, "Fairness",
        "Groups that the configuration declares. The gap is between the best and the worst group. "
        "Compare it with its limit: among many equal groups some gap always occurs.",
    )  # fmt: skip
    grid = elements.add_plot_grid(part, "thirds")
    for name, users in fairness.users.items():
        figure = _draw_user_groups(users) if _get_measured(users, "metric") else None
        _add_plot(grid, name, figure, describe_user_gap(users))
    for name, items in fairness.items.items():
        figure = draw_exposure(items) if _get_measured(items, "exposure") else None
        _add_plot(grid, name, figure, describe_item_gap(items))
    details = elements.add_details(part, "All groups in numbers")
    for name, users in fairness.users.items():
        _add_group_table(details, name, users, {"metric": wording.format_name(users.metric)})
    for name, items in fairness.items.items():
        shares = {key: key for key in ("exposure", "relevance", "difference")}
        _add_group_table(details, name, items, shares)


def _add_plot(grid: Element, name: str, figure: Figure | None, caption: str) -> None:
    if figure is None:
        elements.add_text(grid, "p", f"{name}: {caption}")
    else:
        elements.add_plot(grid, figure, name, caption)


def describe_user_gap(table: UserFairness) -> str:
    """The gap, its interval and its limit; or why there is none."""
    gap = table.gap
    if gap is None:
        return _describe_missing_gap(table)
    difference = f"{wording.format_number(gap.value)} ({wording.format_interval(gap)})"
    limit = _describe_limit(gap.value, table.limit)
    return f"{table.best} is {difference} above {table.worst}. {limit}"


def describe_item_gap(table: ItemFairness) -> str:
    """The largest difference of exposure and relevance; or why there is none."""
    if table.gap is None:
        return _describe_missing_gap(table)
    difference = table.groups[table.widest].difference
    assert difference is not None, "a group with a gap has a difference"
    share = wording.format_share(abs(difference.value), 1)
    note = f" Note: {table.note}." if table.note else ""
    return (
        "Dot: share of the exposure that the first 10 positions give. Bar: share of the relevant "
        f"items. {table.widest} gets {share} {'more' if difference.value > 0 else 'less'} than it "
        f"is worth. {_describe_limit(table.gap, table.limit)}{note}"
    )


def draw_exposure(table: ItemFairness) -> Figure:
    """Draws exposure with its interval over relevance, a row per group."""
    groups = _get_measured(table, "exposure")
    relevance = _get_measured(table, "relevance")
    with charts.open_axes("third", 0.62 + 0.23 * len(groups)) as (figure, axes):
        bars = [relevance[name].value for name in groups]
        axes.barh(range(len(groups)), bars, height=0.55, color=charts.SOFT.light)
        colour = charts.ACCENT.light
        for row, exposure in enumerate(groups.values()):
            axes.plot([exposure.low, exposure.high], [row, row], color=colour)
            axes.plot([exposure.value], [row], "o", color=colour, markersize=5)
        axes.set_yticks(range(len(groups)), [wording.shorten(name) for name in groups])
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("share of exposure (dot) and of relevance (bar)")
        charts.hide_y_axis(axes)
    return figure


def _draw_user_groups(table: UserFairness) -> Figure:
    dots = [
        Dot(name, metric.value, metric.low, metric.high, table.groups[name].note is None)
        for name, metric in _get_measured(table, "metric").items()
    ]
    return charts.draw_dots(dots, f"{wording.format_name(table.metric)} (95 % interval)")


def _get_measured(table: FairnessTable, key: str) -> dict[str, MetricInterval]:
    """The interval `key` of each group that has it."""
    intervals = {name: getattr(group, key) for name, group in table.groups.items()}
    return {name: interval for name, interval in intervals.items() if interval is not None}


def _describe_missing_gap(table: FairnessTable) -> str:
    return f"Not measured: {(table.note or '').removeprefix('no gap: ')}."


def _describe_limit(gap: float, limit: float | None) -> str:
    if limit is None:
        return "No limit is set."
    return f"The limit is {wording.format_number(limit)}: {'met' if gap <= limit else 'exceeded'}."


def _add_group_table(
    parent: Element, title: str, table: FairnessTable, columns: dict[str, str]
) -> None:
    """`columns`: key of a group's interval -> heading. Groups of items have no count of users."""
    if not table.groups:
        return
    elements.add_text(parent, "h3", title)
    has_users = any(group.users is not None for group in table.groups.values())
    rows = []
    for name, group in table.groups.items():
        cells = [elements.make_interval_cell(getattr(group, key)) for key in columns]
        users = [wording.format_number(group.users)] if has_users else []
        rows.append(TableRow([Cell(name, group.note or ""), *users, *cells]))
    header = ["group", *(["users"] if has_users else []), *columns.values()]
    elements.add_table(parent, header, rows)
