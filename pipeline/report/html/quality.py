"""Quality on test: both stages compared with the baselines, and the lists of a few users."""

from xml.etree.ElementTree import Element, SubElement

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.charts import Dot
from pipeline.report.html.elements import Cell, TableRow
from pipeline.report.propensities import SNIPS_METRICS, describe_propensities
from schema.evaluation_summary import (
    ListComparisons,
    ListMetrics,
    MetricDifference,
    PropensitySummary,
)
from schema.run_summary import RunSummary, UserRecommendations

_PLOTTED_METRICS = ("ndcg@10", "recall@10", "recall@100")
_ALL_METRICS = ("ndcg@10", "recall@10", "recall@100", "mrr@10", "hit_rate@10")
_BEYOND_ACCURACY = ("coverage@10", "novelty@10", "diversity@10", "head_share@10", "gini@10")
_OWN_LISTS = ("final lists", "retrieval")
_BEYOND_ACCURACY_LEAD = (
    "Coverage: share of the catalogue that is in any user's first 10 items. Novelty: bits of "
    "surprise per item. Diversity: mean distance of a list's items. Head share: positions of "
    "the most popular hundredth of the items. Gini: 0 if all items are shown equally often, 1 if a "
    "single item has every position."
)


def add_quality_section(body: Element, summary: RunSummary) -> None:
    """Adds dots with whiskers, the same as a table, paired differences, and what else the lists
    are like.
    """
    lists = collect_metrics(summary)
    part = elements.add_section(body, "Quality on test", _describe_evaluation(summary))
    grid = elements.add_plot_grid(part, "thirds")
    ceiling = summary.retrieval.ceiling
    for metric in _PLOTTED_METRICS:
        level = ("ceiling of any method", ceiling[metric]) if metric in ceiling else None
        figure = charts.draw_dots(
            [_make_dot(name, metrics, metric) for name, metrics in lists.items()],
            f"{wording.format_name(metric)} (mean over users, 95 % interval)", level,
        )  # fmt: skip
        caption = describe_differences(summary, metric)
        elements.add_plot(grid, figure, wording.format_name(metric), caption)
    elements.add_text(part, "h3", "Every measure")
    _add_metrics_table(part, lists, _ALL_METRICS)
    title = "Final lists less the others, user by user"
    _add_differences(part, title, summary.ranking.against, _PLOTTED_METRICS)
    if summary.retrieval.propensities is not None:
        _add_weighted_metrics(part, summary, summary.retrieval.propensities)
    if any(metric in summary.ranking.metrics for metric in _BEYOND_ACCURACY[1:]):
        elements.add_text(part, "h3", "What else the lists are like")
        elements.add_text(part, "p", _BEYOND_ACCURACY_LEAD, "lead")
        _add_metrics_table(part, lists, _BEYOND_ACCURACY)


def collect_metrics(summary: RunSummary) -> dict[str, ListMetrics]:
    """All lists with the same evaluation queries, by name: ours, the pushed model's, the
    baselines'.
    """
    lists: dict[str, ListMetrics] = {
        "final lists": summary.ranking,
        "retrieval": summary.retrieval,
    }
    before = summary.verdict.pushed_before
    if before and _PLOTTED_METRICS[0] in before.metrics:
        lists["pushed"] = before
    return lists | summary.retrieval.baselines


def describe_differences(summary: RunSummary, metric: str) -> str:
    """The verdicts on the final lists compared with each of the others."""
    verdicts: dict[str, list[str]] = {}
    for name, differences in summary.ranking.against.items():
        if metric in differences:
            names = verdicts.setdefault(differences[metric].verdict, [])
            names.append(wording.format_name(name))
    if not verdicts:
        return f"Final lists: {wording.format_number(summary.ranking.metrics[metric])}."
    parts = [
        f"{verdict} {_choose_preposition(verdict)} {wording.join_words(names)}"
        for verdict, names in verdicts.items()
    ]
    return f"User by user, the final lists are {'; '.join(parts)}."


def _choose_preposition(verdict: str) -> str:
    return "than" if verdict in ("better", "worse") else "of" if "noise" in verdict else "beside"


def _describe_evaluation(summary: RunSummary) -> str:
    retrieval = summary.retrieval
    text = (
        f"Each of {retrieval.users:,} users has one query, at the moment at which test begins, "
        f"with the history up to then. The final lists are served in {summary.ranking.order}'s "
        "order. Whiskers are 95 % bootstrap intervals over users; two that overlap may still "
        "differ user by user, which the differences below show."
    )
    return f"{text} Note: {retrieval.note}." if retrieval.note else text


def _make_dot(name: str, lists: ListMetrics, metric: str) -> Dot:
    bounds = lists.intervals.get(metric)
    low, high = (bounds.low, bounds.high) if bounds else (None, None)
    return Dot(wording.format_name(name), lists.metrics[metric], low, high, name in _OWN_LISTS)


def _add_metrics_table(
    part: Element, lists_by_name: dict[str, ListMetrics], columns: tuple[str, ...]
) -> None:
    rows = []
    for name, lists in lists_by_name.items():
        cells = [
            Cell(
                wording.format_number(lists.metrics.get(metric)),
                wording.format_interval(lists.intervals.get(metric)),
            )
            for metric in columns
        ]
        rows.append(TableRow([wording.format_name(name), *cells], name in _OWN_LISTS))
    elements.add_table(part, ["", *map(wording.format_name, columns)], rows)


def _add_weighted_metrics(part: Element, summary: RunSummary, found: PropensitySummary) -> None:
    elements.add_text(part, "h3", "Weighted by inverse propensity")
    elements.add_text(part, "p", describe_propensities(found), "lead")
    _add_metrics_table(part, collect_metrics(summary), SNIPS_METRICS)
    title = "Final lists less the others, weighted by inverse propensity"
    _add_differences(part, title, summary.ranking.against, SNIPS_METRICS)


def _add_differences(
    part: Element, title: str, against: ListComparisons, metrics: tuple[str, ...]
) -> None:
    if not against:
        return
    elements.add_text(part, "h3", title)
    rows = []
    for name, differences in against.items():
        cells = [_make_difference_cell(differences.get(metric)) for metric in metrics]
        rows.append(TableRow([wording.format_name(name), *cells]))
    elements.add_table(part, ["less", *map(wording.format_name, metrics)], rows)


def _make_difference_cell(difference: MetricDifference | None) -> Cell:
    if difference is None:
        return Cell("–")
    kind = {"better": "good", "worse": "bad"}.get(difference.verdict, "")
    below = f"{wording.format_interval(difference)}\n{difference.verdict}"
    return Cell(wording.format_signed(difference.value), below, kind)


def add_examples_section(body: Element, examples: list[UserRecommendations]) -> None:
    """Adds a card for each user; nothing without users."""
    if not examples:
        return
    part = elements.add_section(
        body, f"{len(examples)} users",
        "Drawn at random among users with some history, with the recommendations of a server that "
        "has this run's models: their latest events, and the top of their lists.",
    )  # fmt: skip
    cards = SubElement(part, "div", {"class": "users"})
    for example in examples:
        _add_user_card(cards, example)


def _add_user_card(cards: Element, example: UserRecommendations) -> None:
    card = SubElement(cards, "article", {"class": "user"})
    note = "" if example.known_user else " (new)"
    elements.add_text(card, "h3", f"User {example.user_id}{note}")
    if example.history:
        elements.add_text(card, "h4", "latest events")
        history = SubElement(card, "ul")
        for event in example.history:
            elements.add_text(history, "li", event.title)
    elements.add_text(card, "h4", "recommendations")
    items = SubElement(card, "ol")
    for item in example.recommendations:
        elements.add_text(items, "li", item.title)
