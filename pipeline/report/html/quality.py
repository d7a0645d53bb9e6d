"""Both stages beside the baselines, on the test split."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from pipeline.report.html import elements, wording
from pipeline.report.html.elements import Cell, Row
from pipeline.report_page import dots
from pipeline.report_page.dots import Dot

_DRAWN = ("ndcg@10", "recall@10", "recall@100")
_BEYOND = ("coverage@10", "novelty@10", "diversity@10", "head_share@10", "gini@10")
_OURS = ("final lists", "retrieval")
Metrics = Mapping[str, Any]


def add(body: Element, summary: dict[str, Any]) -> None:
    """Dots with whiskers, the same as a table, differences user by user, and what else the lists
    are like.
    """
    measured = of(summary)
    part = elements.section(body, "Quality on test", _lead(summary))
    grid = elements.plots(part, "thirds")
    ceiling = summary["retrieval"].get("ceiling", {})
    for metric in _DRAWN:
        level = ("ceiling of any method", ceiling[metric]) if metric in ceiling else None
        drawn = dots.draw(
            [_dot(name, metrics, metric) for name, metrics in measured.items()],
            f"{wording.name(metric)} (mean over users, 95 % interval)", level,
        )  # fmt: skip
        elements.plot(grid, drawn, wording.name(metric), caption(summary, metric))
    elements.text(part, "h3", "Every measure")
    columns = ["ndcg@10", "recall@10", "recall@100", "mrr@10", "hit_rate@10"]
    _table(part, measured, columns)
    _differences(part, summary)
    if any(metric in measured["final lists"] for metric in _BEYOND[1:]):
        elements.text(part, "h3", "What else the lists are like")
        elements.text(part, "p", _BEYOND_LEAD, "lead")
        _table(part, measured, list(_BEYOND))


_BEYOND_LEAD = (
    "Coverage: share of the catalogue that stands in anybody's first 10 places. Novelty: bits of "
    "surprise per item. Diversity: mean distance of a list's items. Head share: places that go to "
    "the most popular hundredth of the items. Gini: 0 where all items are shown alike, 1 where one "
    "item has every place."
)


def of(summary: dict[str, Any]) -> dict[str, Metrics]:
    """Whatever was asked the same questions, by name: ours, the baselines, the pushed model."""
    found: dict[str, Metrics] = {
        "final lists": summary["ranking"],
        "retrieval": summary["retrieval"],
    }
    before = (summary.get("verdict") or {}).get("pushed_before")
    if before and _DRAWN[0] in before:
        found["pushed"] = before
    return found | summary["retrieval"]["baselines"]


def caption(summary: dict[str, Any], metric: str) -> str:
    """The final lists' verdict beside each of the others."""
    verdicts: dict[str, list[str]] = {}
    for name, differences in summary["ranking"].get("against", {}).items():
        if metric in differences:
            verdicts.setdefault(differences[metric]["verdict"], []).append(wording.name(name))
    if not verdicts:
        return f"Final lists: {wording.number(summary['ranking'][metric])}."
    parts = [f"{said} {_word(said)} {wording.listed(names)}" for said, names in verdicts.items()]
    return f"User by user, the final lists are {'; '.join(parts)}."


def _word(verdict: str) -> str:
    return "than" if verdict in ("better", "worse") else "of" if "noise" in verdict else "beside"


def _lead(summary: dict[str, Any]) -> str:
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


def _dot(name: str, metrics: Metrics, metric: str) -> Dot:
    bounds = metrics.get("intervals", {}).get(metric, {})
    return Dot(
        wording.name(name), metrics[metric], bounds.get("low"), bounds.get("high"), name in _OURS
    )


def _table(part: Element, measured: dict[str, Metrics], columns: list[str]) -> None:
    rows = []
    for name, metrics in measured.items():
        bounds = metrics.get("intervals", {})
        cells = [
            Cell(wording.number(metrics.get(metric)), wording.interval(bounds.get(metric)))
            for metric in columns
        ]
        rows.append(Row([wording.name(name), *cells], name in _OURS))
    elements.table(part, ["", *map(wording.name, columns)], rows)


def _differences(part: Element, summary: dict[str, Any]) -> None:
    against = summary["ranking"].get("against", {})
    if not against:
        return
    elements.text(part, "h3", "Final lists less the others, user by user")
    rows = [
        Row([wording.name(name), *(_difference(found.get(metric)) for metric in _DRAWN)])
        for name, found in against.items()
    ]
    elements.table(part, ["less", *map(wording.name, _DRAWN)], rows)


def _difference(found: Mapping[str, Any] | None) -> Cell:
    if found is None:
        return Cell("–")
    kind = {"better": "good", "worse": "bad"}.get(found["verdict"], "")
    below = f"{wording.interval(found)}\n{found['verdict']}"
    return Cell(wording.signed(found["value"]), below, kind)
