"""What the run learned from: volumes over time, popularity, histories, and what was refused."""

import itertools
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from pipeline.report import event_log
from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import Row
from pipeline.report_page import palette
from pipeline.report_page.data_volumes import Volumes

_LONG_DAYS = 400
_WEEK = 7
_DAY = 86_400
_POINTS = 200
_HEAD = 0.01
_HEIGHT = 2.7
_DASHES = ((0, (1, 2)), (0, (4, 3)), "-")


def add(body: Element, summary: dict[str, Any], volumes: Volumes) -> None:
    """Record counts, which ids meet, events far in time, and three plots; rejects by reason where
    there are any.
    """
    rows = summary["rows"]
    part = elements.section(
        body, "Data",
        f"{rows['read']:,} records were read: {rows['accepted']:,} accepted, {rows['rejected']:,} "
        f"rejected, {rows['duplicates']:,} duplicates. Train has {rows['train']:,} events, valid "
        f"{rows['valid']:,}, test {rows['test']:,}.",
    )  # fmt: skip
    for line in event_log.lines(summary.get("log", {})):
        elements.text(part, "p", line)
    grid = elements.plots(part, "halves")
    if len(volumes.days):
        unit = "week" if _is_long(volumes) else "day"
        elements.plot(grid, over_time(volumes), f"Events per {unit}", time_caption(volumes))
        elements.plot(grid, popularity(volumes), "Popularity curve", popularity_caption(volumes))
        elements.plot(grid, lengths(volumes), "Users' histories", lengths_caption(volumes))
    _rejects(SubElement(grid, "div"), summary["rejected_by_reason"])


def over_time(volumes: Volumes) -> Figure:
    """Steps of a day, of a week where the log is long; an upright line where a split begins."""
    first, counted = steps(volumes)
    width = _WEEK if _is_long(volumes) else 1
    edges = np.append(first, first[-1] + width).astype("datetime64[D]")
    with charts.axes("half", _HEIGHT) as (figure, axes):
        axes.stairs(counted, edges, fill=True, color=palette.SOFT.light)  # type: ignore[arg-type]
        for dash, (said, moment) in zip(_DASHES, volumes.cuts.items(), strict=False):
            day: Any = np.datetime64(moment, "s")
            axes.axvline(day, color=palette.INK.light, linewidth=1.2, linestyle=dash, label=said)
        if volumes.cuts:
            figure.legend(loc="outside upper left", ncols=3)
        axes.set_xlabel("time (UTC)")
        axes.set_ylabel("events per week" if width == _WEEK else "events per day")
        locator: Any = axes.xaxis.get_major_locator()
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    return figure


def steps(volumes: Volumes) -> tuple[np.ndarray, np.ndarray]:
    """First day of each step and its events, steps without events included."""
    width = _WEEK if _is_long(volumes) else 1
    place = (volumes.days - volumes.days[0]) // width
    counted = np.bincount(place, weights=volumes.events)
    return volumes.days[0] + width * np.arange(len(counted)), counted


def popularity(volumes: Volumes) -> Figure:
    """Events of an item against its rank, both in powers of ten."""
    most = len(volumes.per_item)
    ranks = np.unique(np.geomspace(1, most, min(_POINTS, most)).round().astype(int))
    with charts.axes("half", _HEIGHT) as (figure, axes):
        axes.loglog(ranks, volumes.per_item[ranks - 1], color=palette.ACCENT.light)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("rank of the item (log scale)")
        axes.set_ylabel("events of the item (log scale)")
    return figure


def lengths(volumes: Volumes) -> Figure:
    """Users by the length of their history, in doubling steps."""
    edges = 2 ** np.arange(np.ceil(np.log2(volumes.per_user[0] + 1)) + 1)
    users, _ = np.histogram(volumes.per_user, edges)
    names = [
        f"{low:.0f}" if high - low == 1 else f"{low:.0f}–{high - 1:.0f}"
        for low, high in itertools.pairwise(edges)
    ]
    with charts.axes("half", _HEIGHT) as (figure, axes):
        axes.bar(range(len(users)), users, color=palette.SOFT.light, width=0.85)
        axes.set_xticks(range(len(users)), names, rotation=40, ha="right", rotation_mode="anchor")
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("events in the history")
        axes.set_ylabel("users")
    return figure


def time_caption(volumes: Volumes) -> str:
    """The range, the fullest step and the cuts."""
    first, counted = steps(volumes)
    peak = int(counted.argmax())
    said = (
        f"{_day(volumes.days[0])} to {_day(volumes.days[-1])}; at most {counted[peak]:,.0f} "
        f"events, from {_day(first[peak])} on."
    )
    cuts = [f"{name} on {_day(moment // _DAY)}" for name, moment in volumes.cuts.items()]
    return f"{said} {wording.listed(cuts).capitalize()}." if cuts else f"{said} No cut in time."


def popularity_caption(volumes: Volumes) -> str:
    """What share of all events the head has."""
    items = len(volumes.per_item)
    head = max(1, round(_HEAD * items))
    taken = wording.share(volumes.per_item[:head].sum(), volumes.per_item.sum())
    once = wording.share(np.count_nonzero(volumes.per_item == 1), items)
    return (
        f"The most popular hundredth ({head:,} of {items:,} items with events) has {taken} of the "
        f"events; {once} of the items have a single one."
    )


def lengths_caption(volumes: Volumes) -> str:
    """The median, and how many users are hardly known."""
    few = np.count_nonzero(volumes.per_user < 3)
    return (
        f"The median user has {np.median(volumes.per_user):,.0f} events, the longest history "
        f"{volumes.per_user[0]:,}; {wording.share(few, len(volumes.per_user))} of "
        f"{len(volumes.per_user):,} users have one or two."
    )


def _rejects(part: Element, by_table: dict[str, dict[str, int]]) -> None:
    elements.text(part, "h3", "Rejected records")
    rows = [
        Row([table, reason, f"{count:,}"])
        for table, reasons in by_table.items()
        for reason, count in reasons.items()
    ]
    if rows:
        elements.table(part, ["table", "reason", "records"], rows, texts=2)
    else:
        elements.text(part, "p", "None: every record that was read fits its declaration.", "lead")


def _is_long(volumes: Volumes) -> bool:
    return bool(volumes.days[-1] - volumes.days[0] > _LONG_DAYS)


def _day(days: int | np.integer) -> str:
    return str(np.datetime64(int(days), "D"))
