"""Quality on test by slice of users and of relevant items."""

from xml.etree.ElementTree import Element

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.charts import Dot
from pipeline.report.html.elements import Cell, TableRow
from schema.evaluation_summary import SliceMetrics
from schema.run_summary import RunSummary

_SLICE_METRIC = "recall@10"
_SLICE_COLUMNS = ("recall@10", "recall@100", "ndcg@10")
SliceRows = dict[str, SliceMetrics]


def add_slices_section(body: Element, summary: RunSummary) -> None:
    """Adds a plot for each kind of slices, and all numbers in a collapsed table."""
    kinds = summary.ranking.slices
    if not kinds:
        return
    part = elements.add_section(
        body, "Slices",
        "Recall@10 of the final lists in parts of the test split, with 95 % intervals. Slices of "
        "users take a mean over users; slices of items count the relevant items of that kind.",
    )  # fmt: skip
    grid = elements.add_plot_grid(part, "thirds")
    axis = f"{wording.format_name(_SLICE_METRIC)} (share, 95 % interval)"
    for kind, rows in sorted(kinds.items(), key=lambda pair: len(make_slice_dots(pair[1]))):
        if dots := make_slice_dots(rows):
            figure = charts.draw_dots(dots, axis)
            elements.add_plot(grid, figure, format_slice_title(kind), describe_slices(rows))
    details = elements.add_details(part, "All slices in numbers")
    for kind, rows in kinds.items():
        elements.add_text(details, "h3", format_slice_title(kind))
        _add_slices_table(details, rows)


def format_slice_title(kind: str) -> str:
    """`item_genres` as By item genres."""
    return f"By {wording.format_name(kind)}"


def make_slice_dots(rows: SliceRows) -> list[Dot]:
    """The slices that have users; those of too few users in grey."""
    dots = []
    for name, row in rows.items():
        if recall := row.metrics.get(_SLICE_METRIC):
            dots.append(Dot(name, recall.value, recall.low, recall.high, row.note is None))
    return dots


def describe_slices(rows: SliceRows) -> str:
    """The best and the worst slice, and whether their intervals overlap."""
    dots = [dot for dot in make_slice_dots(rows) if dot.ours]
    notes = "".join(
        f" {note.capitalize()}: {wording.join_words(names)}."
        for note, names in _group_notes(rows).items()
    )
    if len(dots) < 2:
        return f"Nothing to compare.{notes}"
    best = max(dots, key=lambda dot: dot.value)
    worst = min(dots, key=lambda dot: dot.value)
    apart = (best.low or 0.0) > (worst.high or 0.0)
    return (
        f"Best: {best.name} ({wording.format_number(best.value)}). Worst: {worst.name} "
        f"({wording.format_number(worst.value)}). Their intervals "
        f"{'do not overlap' if apart else 'overlap'}.{notes}"
    )


def _group_notes(rows: SliceRows) -> dict[str, list[str]]:
    """Slices by note, without the number of users, which the table has."""
    names: dict[str, list[str]] = {}
    for name, row in rows.items():
        if row.note is not None:
            names.setdefault(row.note.partition(":")[0], []).append(name)
    return names


def _add_slices_table(details: Element, rows: SliceRows) -> None:
    has_answers = any(row.answers is not None for row in rows.values())
    counts = ["users", "answers"] if has_answers else ["users"]
    metrics = [name for name in _SLICE_COLUMNS if any(name in r.metrics for r in rows.values())]
    header = ["", *counts, *map(wording.format_name, metrics)]
    lines = [_make_slice_row(name, row, counts, metrics) for name, row in rows.items()]
    elements.add_table(details, header, lines)


def _make_slice_row(
    name: str, row: SliceMetrics, counts: list[str], metrics: list[str]
) -> TableRow:
    numbers = {"users": row.users, "answers": row.answers}
    values = [elements.make_interval_cell(row.metrics.get(metric)) for metric in metrics]
    cells = [wording.format_number(numbers[count]) for count in counts]
    return TableRow([Cell(name, row.note or ""), *cells, *values])
