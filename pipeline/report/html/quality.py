"""Both stages beside the baselines, on the test split.

For whom, and for which items, the final lists are good.

A few users: what they took last, and what they are recommended.
"""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.charts import Dot
from pipeline.report.html.elements import Cell, TableRow

_PLOTTED_METRICS = ("ndcg@10", "recall@10", "recall@100")
_BEYOND_ACCURACY = ("coverage@10", "novelty@10", "diversity@10", "head_share@10", "gini@10")
_OURS = ("final lists", "retrieval")
Metrics = Mapping[str, Any]
_SLICE_METRIC = "recall@10"
_SLICE_COUNTS = ("users", "answers")
_SLICE_COLUMNS = ("recall@10", "recall@100", "ndcg@10")
SliceRows = dict[str, dict[str, Any]]


def add_quality_section(body: Element, summary: dict[str, Any]) -> None:
    """Dots with whiskers, the same as a table, differences user by user, and what else the lists
    are like.
    """
    measured = collect_metrics(summary)
    part = elements.add_section(body, "Quality on test", _describe_evaluation(summary))
    grid = elements.add_plot_grid(part, "thirds")
    ceiling = summary["retrieval"].get("ceiling", {})
    for metric in _PLOTTED_METRICS:
        level = ("ceiling of any method", ceiling[metric]) if metric in ceiling else None
        drawn = charts.draw_dots(
            [_make_dot(name, metrics, metric) for name, metrics in measured.items()],
            f"{wording.format_name(metric)} (mean over users, 95 % interval)", level,
        )  # fmt: skip
        elements.add_plot(
            grid, drawn, wording.format_name(metric), describe_differences(summary, metric)
        )
    elements.add_text(part, "h3", "Every measure")
    columns = ["ndcg@10", "recall@10", "recall@100", "mrr@10", "hit_rate@10"]
    _add_metrics_table(part, measured, columns)
    _add_differences(part, summary)
    if any(metric in measured["final lists"] for metric in _BEYOND_ACCURACY[1:]):
        elements.add_text(part, "h3", "What else the lists are like")
        elements.add_text(part, "p", _BEYOND_ACCURACY_LEAD, "lead")
        _add_metrics_table(part, measured, list(_BEYOND_ACCURACY))


_BEYOND_ACCURACY_LEAD = (
    "Coverage: share of the catalogue that stands in anybody's first 10 places. Novelty: bits of "
    "surprise per item. Diversity: mean distance of a list's items. Head share: places that go to "
    "the most popular hundredth of the items. Gini: 0 where all items are shown alike, 1 where one "
    "item has every place."
)


def collect_metrics(summary: dict[str, Any]) -> dict[str, Metrics]:
    """Whatever was asked the same questions, by name: ours, the baselines, the pushed model."""
    found: dict[str, Metrics] = {
        "final lists": summary["ranking"],
        "retrieval": summary["retrieval"],
    }
    before = (summary.get("verdict") or {}).get("pushed_before")
    if before and _PLOTTED_METRICS[0] in before:
        found["pushed"] = before
    return found | summary["retrieval"]["baselines"]


def describe_differences(summary: dict[str, Any], metric: str) -> str:
    """The final lists' verdict beside each of the others."""
    verdicts: dict[str, list[str]] = {}
    for name, differences in summary["ranking"].get("against", {}).items():
        if metric in differences:
            verdicts.setdefault(differences[metric]["verdict"], []).append(
                wording.format_name(name)
            )
    if not verdicts:
        return f"Final lists: {wording.format_number(summary['ranking'][metric])}."
    parts = [
        f"{said} {_choose_preposition(said)} {wording.join_words(names)}"
        for said, names in verdicts.items()
    ]
    return f"User by user, the final lists are {'; '.join(parts)}."


def _choose_preposition(verdict: str) -> str:
    return "than" if verdict in ("better", "worse") else "of" if "noise" in verdict else "beside"


def _describe_evaluation(summary: dict[str, Any]) -> str:
    users = summary["retrieval"]["users"]
    order = summary["ranking"]["order"]
    note = summary["retrieval"].get("note")
    said = (
        f"{users:,} users were asked about once, at the moment at which test begins, by what was "
        f"known then. The final lists are served in {order}'s order. Whiskers are 95 % bootstrap "
        "intervals over users; two that overlap may still differ user by user, which the "
        "differences below them say."
    )
    return f"{said} Note: {note}." if note else said


def _make_dot(name: str, metrics: Metrics, metric: str) -> Dot:
    bounds = metrics.get("intervals", {}).get(metric, {})
    return Dot(
        wording.format_name(name),
        metrics[metric],
        bounds.get("low"),
        bounds.get("high"),
        name in _OURS,
    )


def _add_metrics_table(part: Element, measured: dict[str, Metrics], columns: list[str]) -> None:
    rows = []
    for name, metrics in measured.items():
        bounds = metrics.get("intervals", {})
        cells = [
            Cell(
                wording.format_number(metrics.get(metric)),
                wording.format_interval(bounds.get(metric)),
            )
            for metric in columns
        ]
        rows.append(TableRow([wording.format_name(name), *cells], name in _OURS))
    elements.add_table(part, ["", *map(wording.format_name, columns)], rows)


def _add_differences(part: Element, summary: dict[str, Any]) -> None:
    against = summary["ranking"].get("against", {})
    if not against:
        return
    elements.add_text(part, "h3", "Final lists less the others, user by user")
    rows = [
        TableRow(
            [
                wording.format_name(name),
                *(_make_difference_cell(found.get(metric)) for metric in _PLOTTED_METRICS),
            ]
        )
        for name, found in against.items()
    ]
    elements.add_table(part, ["less", *map(wording.format_name, _PLOTTED_METRICS)], rows)


def _make_difference_cell(found: Mapping[str, Any] | None) -> Cell:
    if found is None:
        return Cell("–")
    kind = {"better": "good", "worse": "bad"}.get(found["verdict"], "")
    below = f"{wording.format_interval(found)}\n{found['verdict']}"
    return Cell(wording.format_signed(found["value"]), below, kind)


def add_slices_section(body: Element, summary: dict[str, Any]) -> None:
    """A small plot for each way of telling users or answers apart; all numbers folded below."""
    kinds: dict[str, SliceRows] = summary["ranking"].get("slices", {})
    if not kinds:
        return
    part = elements.add_section(
        body, "Slices",
        "Recall@10 of the final lists in parts of the test split, with 95 % intervals. Slices of "
        "users take a mean over users; slices of items count the answers that are such items.",
    )  # fmt: skip
    grid = elements.add_plot_grid(part, "thirds")
    axis = f"{wording.format_name(_SLICE_METRIC)} (share, 95 % interval)"
    for kind, found in sorted(kinds.items(), key=lambda pair: len(make_slice_dots(pair[1]))):
        if make_slice_dots(found):
            elements.add_plot(
                grid,
                charts.draw_dots(make_slice_dots(found), axis),
                format_slice_title(kind),
                describe_slices(found),
            )
    details = elements.add_details(part, "All slices in numbers")
    for kind, found in kinds.items():
        elements.add_text(details, "h3", format_slice_title(kind))
        counts = [column for column in _SLICE_COUNTS if _has_column(column, found)]
        metrics = [column for column in _SLICE_COLUMNS if _has_column(column, found)]
        rows = [_make_slice_row(name, row, counts, metrics) for name, row in found.items()]
        elements.add_table(details, ["", *counts, *map(wording.format_name, metrics)], rows)


def format_slice_title(kind: str) -> str:
    """`item_genres` as By item genres."""
    return f"By {wording.format_name(kind)}"


def make_slice_dots(found: SliceRows) -> list[Dot]:
    """Slices that hold somebody; those of too few users in grey."""
    return [
        Dot(
            name,
            row[_SLICE_METRIC]["value"],
            row[_SLICE_METRIC]["low"],
            row[_SLICE_METRIC]["high"],
            "note" not in row,
        )
        for name, row in found.items()
        if _SLICE_METRIC in row
    ]


def describe_slices(found: SliceRows) -> str:
    """The best and the worst slice, and whether more than noise is between them."""
    sure = [dot for dot in make_slice_dots(found) if dot.ours]
    noted = _group_notes(found).items()
    notes = "".join(f" {said.capitalize()}: {wording.join_words(names)}." for said, names in noted)
    if len(sure) < 2:
        return f"Nothing to compare.{notes}"
    best = max(sure, key=lambda dot: dot.value)
    worst = min(sure, key=lambda dot: dot.value)
    apart = (best.low or 0.0) > (worst.high or 0.0)
    return (
        f"Best: {best.name} ({wording.format_number(best.value)}). Worst: {worst.name} "
        f"({wording.format_number(worst.value)}). Their intervals "
        f"{'do not overlap' if apart else 'overlap'}.{notes}"
    )


def _group_notes(found: SliceRows) -> dict[str, list[str]]:
    """Slices by what is said of them; how many users each has stands in the table."""
    noted: dict[str, list[str]] = {}
    for name, row in found.items():
        if "note" in row:
            noted.setdefault(row["note"].partition(":")[0], []).append(name)
    return noted


def _has_column(column: str, found: SliceRows) -> bool:
    return any(column in row for row in found.values())


def _make_slice_row(
    name: str, row: dict[str, Any], counts: list[str], metrics: list[str]
) -> TableRow:
    values = [
        Cell(wording.format_number(row[metric]["value"]), wording.format_interval(row[metric]))
        if metric in row
        else Cell("–")
        for metric in metrics
    ]
    return TableRow(
        [Cell(name, row.get("note", "")), *(f"{row[key]:,}" for key in counts), *values]
    )


def add_examples_section(body: Element, summary: dict[str, Any]) -> None:
    """A card a user. Left out where nothing was asked."""
    answers = summary.get("examples") or []
    if not answers:
        return
    part = elements.add_section(
        body, f"{len(answers)} users",
        "Drawn at random among users with some history, and asked of the pushed models through a "
        "server: what they took last, and the top of their lists.",
    )  # fmt: skip
    cards = SubElement(part, "div", {"class": "users"})
    for answer in answers:
        _add_user_card(cards, answer)


def _add_user_card(cards: Element, answer: dict[str, Any]) -> None:
    card = SubElement(cards, "article", {"class": "user"})
    known = "" if answer["known_user"] else " (new)"
    elements.add_text(card, "h3", f"User {answer['user_id']}{known}")
    if answer["history"]:
        elements.add_text(card, "h4", "took last")
        history = SubElement(card, "ul")
        for event in answer["history"]:
            elements.add_text(history, "li", event["title"])
    elements.add_text(card, "h4", "is recommended")
    listed = SubElement(card, "ol")
    for item in answer["recommendations"]:
        elements.add_text(listed, "li", item["title"])
