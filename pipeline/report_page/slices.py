"""For whom, and for which items, the final lists are good."""

from typing import Any
from xml.etree.ElementTree import Element

from pipeline.report.html import elements, wording
from pipeline.report.html.elements import Cell, Row
from pipeline.report_page import dots
from pipeline.report_page.dots import Dot

_DRAWN = "recall@10"
_COUNTS = ("users", "answers")
_COLUMNS = ("recall@10", "recall@100", "ndcg@10")
Slices = dict[str, dict[str, Any]]


def add(body: Element, summary: dict[str, Any]) -> None:
    """A small plot for each way of telling users or answers apart; all numbers folded below."""
    kinds: dict[str, Slices] = summary["ranking"].get("slices", {})
    if not kinds:
        return
    part = elements.section(
        body, "Slices",
        "Recall@10 of the final lists in parts of the test split, with 95 % intervals. Slices of "
        "users take a mean over users; slices of items count the answers that are such items.",
    )  # fmt: skip
    grid = elements.plots(part, "thirds")
    axis = f"{wording.name(_DRAWN)} (share, 95 % interval)"
    for kind, found in sorted(kinds.items(), key=lambda pair: len(measured(pair[1]))):
        if measured(found):
            elements.plot(grid, dots.draw(measured(found), axis), title(kind), caption(found))
    details = elements.folded(part, "All slices in numbers")
    for kind, found in kinds.items():
        elements.text(details, "h3", title(kind))
        counts = [column for column in _COUNTS if _is_there(column, found)]
        metrics = [column for column in _COLUMNS if _is_there(column, found)]
        rows = [_row(name, row, counts, metrics) for name, row in found.items()]
        elements.table(details, ["", *counts, *map(wording.name, metrics)], rows)


def title(kind: str) -> str:
    """`item_genres` as By item genres."""
    return f"By {wording.name(kind)}"


def measured(found: Slices) -> list[Dot]:
    """Slices that hold somebody; those of too few users in grey."""
    return [
        Dot(name, row[_DRAWN]["value"], row[_DRAWN]["low"], row[_DRAWN]["high"], "note" not in row)
        for name, row in found.items()
        if _DRAWN in row
    ]


def caption(found: Slices) -> str:
    """The best and the worst slice, and whether more than noise is between them."""
    sure = [dot for dot in measured(found) if dot.ours]
    noted = _noted(found).items()
    notes = "".join(f" {said.capitalize()}: {wording.listed(names)}." for said, names in noted)
    if len(sure) < 2:
        return f"Nothing to compare.{notes}"
    best = max(sure, key=lambda dot: dot.value)
    worst = min(sure, key=lambda dot: dot.value)
    apart = (best.low or 0.0) > (worst.high or 0.0)
    return (
        f"Best: {best.name} ({wording.number(best.value)}). Worst: {worst.name} "
        f"({wording.number(worst.value)}). Their intervals "
        f"{'do not overlap' if apart else 'overlap'}.{notes}"
    )


def _noted(found: Slices) -> dict[str, list[str]]:
    """Slices by what is said of them; how many users each has stands in the table."""
    noted: dict[str, list[str]] = {}
    for name, row in found.items():
        if "note" in row:
            noted.setdefault(row["note"].partition(":")[0], []).append(name)
    return noted


def _is_there(column: str, found: Slices) -> bool:
    return any(column in row for row in found.values())


def _row(name: str, row: dict[str, Any], counts: list[str], metrics: list[str]) -> Row:
    values = [
        Cell(wording.number(row[metric]["value"]), wording.interval(row[metric]))
        if metric in row
        else Cell("–")
        for metric in metrics
    ]
    return Row([Cell(name, row.get("note", "")), *(f"{row[key]:,}" for key in counts), *values])
