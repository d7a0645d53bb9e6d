"""What the run learned from: events over time, popularity, histories, and rejected records.

Events are counted from the stored histories in batches of columns: memory grows with the number of
days, items and users, never with events, and no event becomes a Python object.
"""

import dataclasses
import itertools
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from components.ingest.output import counts, histories
from pipeline.report import event_log
from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import TableRow
from schema import timeline
from schema.run_summary import RunSummary

_LONG_DAYS = 400
_WEEK = 7
_POINTS = 200
_HEAD_SHARE = 0.01
_HEIGHT = 2.7
_DASHES = ((0, (1, 2)), (0, (4, 3)), "-")
_USERS_PER_BATCH = 8192
_SECONDS_PER_DAY = 86_400
_CUTS = {"t_train": "train begins", "t_valid": "valid begins", "t_test": "test begins"}


@dataclasses.dataclass(frozen=True)
class DataVolumes:
    """Accepted events of all splits."""

    days: np.ndarray
    """[d] days since epoch, UTC, with an event, in order; only within the bulk of the log (see
    `schema.bulk`): a single event in 2099 would squeeze all others."""
    events: np.ndarray
    """[d] events of each."""
    per_item: np.ndarray
    """Events per item with at least one, in descending order."""
    per_user: np.ndarray
    """Events per user, in descending order."""
    cuts: dict[str, int]
    """`<split> begins` -> seconds since epoch, UTC; empty where the split has no cut in time."""


def add_data_section(body: Element, summary: RunSummary, volumes: DataVolumes) -> None:
    """Adds record counts, overlaps with other tables, events far in time, three plots, and the
    rejected records.
    """
    rows = summary.rows
    part = elements.add_section(
        body, "Data",
        f"{rows.read:,} records were read: {rows.accepted:,} accepted, {rows.rejected:,} "
        f"rejected, {rows.duplicates:,} duplicates. Train has {rows.train:,} events, valid "
        f"{rows.valid:,}, test {rows.test:,}.",
    )  # fmt: skip
    for line in event_log.format_log(summary.log):
        elements.add_text(part, "p", line)
    grid = elements.add_plot_grid(part, "halves")
    if len(volumes.days):
        unit = "week" if _is_long(volumes) else "day"
        elements.add_plot(
            grid,
            draw_events_over_time(volumes),
            f"Events per {unit}",
            describe_events_over_time(volumes),
        )
        elements.add_plot(
            grid, draw_popularity(volumes), "Popularity curve", describe_popularity(volumes)
        )
        elements.add_plot(
            grid,
            draw_history_lengths(volumes),
            "Users' histories",
            describe_history_lengths(volumes),
        )
    _add_rejected_records(SubElement(grid, "div"), summary.rejected_by_reason)


def draw_events_over_time(volumes: DataVolumes) -> Figure:
    """Draws events per day, or per week of a long log, with a line where each split begins."""
    first, counted = count_events_per_step(volumes)
    width = _WEEK if _is_long(volumes) else 1
    edges = np.append(first, first[-1] + width).astype("datetime64[D]")
    with charts.open_axes("half", _HEIGHT) as (figure, axes):
        axes.stairs(counted, edges, fill=True, color=charts.SOFT.light)  # type: ignore[arg-type]
        for dash, (label, time) in zip(_DASHES, volumes.cuts.items(), strict=False):
            day: Any = np.datetime64(time, "s")
            axes.axvline(day, color=charts.INK.light, linewidth=1.2, linestyle=dash, label=label)
        if volumes.cuts:
            figure.legend(loc="outside upper left", ncols=3)
        axes.set_xlabel("time (UTC)")
        axes.set_ylabel("events per week" if width == _WEEK else "events per day")
        locator: Any = axes.xaxis.get_major_locator()
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    return figure


def count_events_per_step(volumes: DataVolumes) -> tuple[np.ndarray, np.ndarray]:
    """First day of each step, and its number of events, which may be 0."""
    width = _WEEK if _is_long(volumes) else 1
    step = (volumes.days - volumes.days[0]) // width
    counted = np.bincount(step, weights=volumes.events)
    return volumes.days[0] + width * np.arange(len(counted)), counted


def draw_popularity(volumes: DataVolumes) -> Figure:
    """Draws events per item by rank, both on a log scale."""
    items = len(volumes.per_item)
    ranks = np.unique(np.geomspace(1, items, min(_POINTS, items)).round().astype(int))
    with charts.open_axes("half", _HEIGHT) as (figure, axes):
        axes.loglog(ranks, volumes.per_item[ranks - 1], color=charts.ACCENT.light)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("rank of the item (log scale)")
        axes.set_ylabel("events of the item (log scale)")
    return figure


def draw_history_lengths(volumes: DataVolumes) -> Figure:
    """Draws users by the length of their history, in doubling steps."""
    edges = 2 ** np.arange(np.ceil(np.log2(volumes.per_user[0] + 1)) + 1)
    users, _ = np.histogram(volumes.per_user, edges)
    names = [
        f"{low:.0f}" if high - low == 1 else f"{low:.0f}–{high - 1:.0f}"
        for low, high in itertools.pairwise(edges)
    ]
    with charts.open_axes("half", _HEIGHT) as (figure, axes):
        axes.bar(range(len(users)), users, color=charts.SOFT.light, width=0.85)
        axes.set_xticks(range(len(users)), names, rotation=40, ha="right", rotation_mode="anchor")
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("events in the history")
        axes.set_ylabel("users")
    return figure


def describe_events_over_time(volumes: DataVolumes) -> str:
    """Describes the range, the step with most events, and the splits."""
    first, counted = count_events_per_step(volumes)
    peak = int(counted.argmax())
    text = (
        f"{_format_day(volumes.days[0])} to {_format_day(volumes.days[-1])}; at most "
        f"{counted[peak]:,.0f} events, from {_format_day(first[peak])} on."
    )
    cuts = [
        f"{name} on {_format_day(time // _SECONDS_PER_DAY)}" for name, time in volumes.cuts.items()
    ]
    return f"{text} {wording.join_words(cuts).capitalize()}." if cuts else f"{text} No cut in time."


def describe_popularity(volumes: DataVolumes) -> str:
    """Describes the head's share of all events."""
    items = len(volumes.per_item)
    head = max(1, round(_HEAD_SHARE * items))
    head_share = wording.format_share(volumes.per_item[:head].sum(), volumes.per_item.sum())
    once = wording.format_share(np.count_nonzero(volumes.per_item == 1), items)
    return (
        f"The most popular hundredth ({head:,} of {items:,} items with events) has "
        f"{head_share} of the events; {once} of the items have a single one."
    )


def describe_history_lengths(volumes: DataVolumes) -> str:
    """Describes the median, and the share of users with one or two events."""
    few = np.count_nonzero(volumes.per_user < 3)
    return (
        f"The median user has {np.median(volumes.per_user):,.0f} events, the longest history "
        f"{volumes.per_user[0]:,}; {wording.format_share(few, len(volumes.per_user))} of "
        f"{len(volumes.per_user):,} users have one or two."
    )


def _add_rejected_records(part: Element, by_table: dict[str, dict[str, int]]) -> None:
    elements.add_text(part, "h3", "Rejected records")
    rows = [
        TableRow([table, reason, f"{count:,}"])
        for table, reasons in by_table.items()
        for reason, count in reasons.items()
    ]
    if rows:
        elements.add_table(part, ["table", "reason", "records"], rows, texts=2)
    else:
        elements.add_text(part, "p", "None: every record matches its declaration.", "lead")


def _is_long(volumes: DataVolumes) -> bool:
    return bool(volumes.days[-1] - volumes.days[0] > _LONG_DAYS)


def _format_day(days: int | np.integer) -> str:
    return str(np.datetime64(int(days), "D"))


def read_volumes(histories_uri: str, interactions_uri: str) -> DataVolumes:
    """Counts the events of all histories, and reads when each split begins."""
    days, items, lengths = _ValueCounter(), _ValueCounter(), _ValueCounter()
    for table in histories.read_tables(histories_uri, _USERS_PER_BATCH):
        timestamps = pc.list_flatten(table[timeline.TIMESTAMPS]).to_numpy()
        days.add(pa.array(timestamps // _SECONDS_PER_DAY))
        items.add(pc.list_flatten(table[timeline.ITEM_IDS]))
        lengths.add(pc.list_value_length(table[timeline.ITEM_IDS]))
    order = np.argsort(days.values())
    lengths_of_users = np.repeat(lengths.values(), lengths.times())
    totals = counts.load(interactions_uri).totals
    order = order[_is_in_bulk(days.values()[order], totals)]
    return DataVolumes(
        days=days.values()[order],
        events=days.times()[order],
        per_item=np.sort(items.times())[::-1],
        per_user=np.sort(lengths_of_users)[::-1],
        cuts={label: totals[key] for key, label in _CUTS.items() if totals.get(key)},
    )


def _is_in_bulk(days: np.ndarray, totals: dict[str, int]) -> np.ndarray:
    """[d] bool; True for all days where the counts do not have the bulk's bounds."""
    if "t_end" not in totals:
        return np.ones(len(days), bool)
    first, last = totals["t_begin"] // _SECONDS_PER_DAY, (totals["t_end"] - 1) // _SECONDS_PER_DAY
    return (days >= first) & (days <= last)


class _ValueCounter:
    """Counts distinct values over batches."""

    def __init__(self) -> None:
        self._counted: pa.Table | None = None

    def add(self, values: pa.Array | pa.ChunkedArray) -> None:
        """Counts `values`, of one type in all calls."""
        new = pa.table({"value": values, "times": np.ones(len(values), np.int64)})
        parts = [new] if self._counted is None else [self._counted, new]
        summed = pa.concat_tables(parts).group_by("value").aggregate([("times", "sum")])
        self._counted = summed.select(["value", "times_sum"]).rename_columns(["value", "times"])

    def values(self) -> np.ndarray:
        """The distinct values."""
        return self._column("value")

    def times(self) -> np.ndarray:
        """The count of each of `values()`."""
        return self._column("times")

    def _column(self, name: str) -> np.ndarray:
        nothing = np.zeros(0, np.int64)
        return nothing if self._counted is None else self._counted[name].to_numpy()
