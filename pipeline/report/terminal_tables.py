"""Tables and lines of the terminal report: quality, verdict, fairness and label errors."""

from collections.abc import Iterator

from rich.table import Table

from pipeline.report.propensities import SNIPS_METRICS
from schema.evaluation_summary import (
    FairnessSummary,
    ItemFairness,
    LabelSummary,
    ListMetrics,
    MetricDifference,
    RetrievalSummary,
    RuleResult,
    UserFairness,
    VerdictSummary,
)
from schema.run_summary import RunSummary

_QUALITY_COLUMNS = ("ndcg@10", "recall@10", "recall@100", "coverage@10")
_DIFFERENCE_COLUMNS = ("ndcg@10", "recall@10", "recall@100")
_PUSHED = "pushed"


def make_quality_table(summary: RunSummary) -> Table:
    """A row for each kind of lists, with metrics and, where there are some, their intervals."""
    table = _make_table("quality on test, with 95 % intervals", _QUALITY_COLUMNS)
    _add_quality_rows(table, summary, _QUALITY_COLUMNS)
    if summary.retrieval.ceiling:
        ceiling = summary.retrieval.ceiling
        cells = [f"{ceiling[name]:.4f}" if name in ceiling else "" for name in _QUALITY_COLUMNS]
        table.add_row("ceiling of any method", *cells)
    return table


def make_differences_table(summary: RunSummary) -> Table:
    """Differences, with verdicts, of both stages' lists from the best baseline by NDCG@10, of the
    final lists from the pushed version, and from retrieval's where ranking's order is served.
    """
    table = _make_table("differences on test, with significance", _DIFFERENCE_COLUMNS)
    _add_difference_rows(table, summary, _DIFFERENCE_COLUMNS)
    return table


def make_snips_table(summary: RunSummary) -> Table:
    """The rows of both other tables, with metrics weighted by inverse propensity."""
    table = _make_table("quality on test, weighted by inverse propensity", SNIPS_METRICS)
    _add_quality_rows(table, summary, SNIPS_METRICS)
    table.add_section()
    _add_difference_rows(table, summary, SNIPS_METRICS)
    return table


def _make_table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _add_quality_rows(table: Table, summary: RunSummary, columns: tuple[str, ...]) -> None:
    for name, lists in _list_quality_rows(summary):
        table.add_row(name, *(_format_metric(lists, metric) for metric in columns))


def _add_difference_rows(table: Table, summary: RunSummary, columns: tuple[str, ...]) -> None:
    for name, differences in _list_comparisons(summary):
        table.add_row(name, *(_format_difference(differences.get(metric)) for metric in columns))


def format_user_count(retrieval: RetrievalSummary) -> str:
    """The number of test users, and whether they are too few."""
    note = f"; {retrieval.note}" if retrieval.note else ""
    return f"evaluated on {retrieval.users:,} test users{note}"


def _list_comparisons(
    summary: RunSummary,
) -> Iterator[tuple[str, dict[str, MetricDifference]]]:
    retrieval, final = summary.retrieval, summary.ranking
    best = retrieval.best_baseline
    name = best.replace("_", " ")
    yield f"retrieval - {name}", retrieval.against[best]
    yield f"final lists - {name}", final.against[best]
    if final.is_served:
        yield "final lists - retrieval", final.against["retrieval"]
    if _PUSHED in final.against:
        yield "final lists - pushed now", final.against[_PUSHED]


def _format_difference(difference: MetricDifference | None) -> str:
    return f"{difference.value:+.4f} {difference.verdict}" if difference else ""


def _list_quality_rows(summary: RunSummary) -> Iterator[tuple[str, ListMetrics]]:
    yield "retrieval", summary.retrieval
    yield "final lists", summary.ranking
    for name, lists in summary.retrieval.baselines.items():
        yield name.replace("_", " "), lists
    before = summary.verdict.pushed_before
    if before is not None:
        yield f"pushed version {before.version}", before


def _format_metric(lists: ListMetrics, metric: str) -> str:
    if metric not in lists.metrics:
        return ""
    interval = lists.intervals.get(metric)
    if interval is None or interval.low is None or interval.high is None:
        return f"{lists.metrics[metric]:.4f}"
    bounds = f"{_format_share(interval.low)}-{_format_share(interval.high)}"
    return f"{lists.metrics[metric]:.4f} {bounds}"


def _format_share(share: float) -> str:
    """`.123`: without the leading zero."""
    return f"{share:.3f}".removeprefix("0")


def format_verdict(verdict: VerdictSummary) -> str:
    """Whether the models are blessed, and who pushed them if they are not."""
    failed, count = len(verdict.failed), _count_rules(len(verdict.rules))
    if not failed:
        return f"blessed: {count} held"
    forced = verdict.forced
    override = f"; pushed by force by {forced.who}: {forced.why}" if forced else ""
    return f"not blessed: {failed} of {count} broken{override}"


def make_broken_rules_table(verdict: VerdictSummary) -> Table:
    """The failed rules, with expected and received values."""
    table = Table(title="broken rules", title_justify="left")
    table.add_column("rule")
    for name in ("expected", "received", "difference", "95 % interval"):
        table.add_column(name, justify="right")
    for rule in verdict.failed:
        table.add_row(rule.rule, *_format_rule(rule))
    return table


def format_warnings(verdict: VerdictSummary) -> list[str]:
    """A line for each slice of users in which lists are worse than a baseline."""
    return [f"warning: {warning.failure}" for warning in verdict.warnings]


def format_rule_notes(verdict: VerdictSummary) -> list[str]:
    """Each note once, after the rules that it is about, failed or not."""
    rules_by_note: dict[str, list[str]] = {}
    for rule in verdict.rules:
        if rule.note:
            rules_by_note.setdefault(rule.note, []).append(rule.rule)
    return [f"{'; '.join(rules)}: {note}" for note, rules in rules_by_note.items()]


def _format_rule(rule: RuleResult) -> list[str]:
    values = [_format_rule_value(rule.expected), _format_rule_value(rule.received)]
    if rule.expected is None or rule.received is None:
        return [*values, "", ""]
    low, high = rule.low, rule.high
    interval = "" if low is None or high is None else f"{low:+.4f} to {high:+.4f}"
    return [*values, f"{rule.received - rule.expected:+.4f}", interval]


def _format_rule_value(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"


def _count_rules(rules: int) -> str:
    return "1 rule" if rules == 1 else f"{rules} rules"


def format_fairness(fairness: FairnessSummary) -> Iterator[str]:
    """A line for each declared feature: the gap, its groups and its limit, or why there is none."""
    for name, users in fairness.users.items():
        yield f"fairness of {name}, {users.metric}: {_format_user_gap(users)}"
    for name, items in fairness.items.items():
        yield f"fairness of {name}, {items.metric}: {_format_item_gap(items)}"


def _format_user_gap(table: UserFairness) -> str:
    gap = table.gap
    if gap is None:
        return f"not measured: {table.note}"
    best, worst = table.groups[table.best].metric, table.groups[table.worst].metric
    assert best is not None, "the best group has a metric"
    assert worst is not None, "the worst group has a metric"
    return (
        f"gap {gap.value:.4f} ({gap.low:+.4f} to {gap.high:+.4f}), "
        f"{table.best} {best.value:.4f}, {table.worst} {worst.value:.4f}"
        + _format_limit(gap.value, table.limit)
    )


def _format_item_gap(table: ItemFairness) -> str:
    if table.gap is None:
        return f"not measured: {table.note}"
    widest = table.groups[table.widest]
    exposure, relevance, difference = widest.exposure, widest.relevance, widest.difference
    assert exposure is not None, "a group with a gap has an exposure"
    assert relevance is not None, "a group with a gap has a relevance"
    assert difference is not None, "a group with a gap has a difference"
    return (
        f"gap {table.gap:.4f}, {table.widest} has {exposure.value:.4f} of the exposure and "
        f"{relevance.value:.4f} of the relevant items "
        f"({difference.low:+.4f} to {difference.high:+.4f})" + _format_limit(table.gap, table.limit)
    )


def _format_limit(gap: float, limit: float | None) -> str:
    if limit is None:
        return ", no limit"
    return f", limit {limit:g} {'met' if gap <= limit else 'exceeded'}"


def format_label_errors(labels: dict[str, LabelSummary]) -> Iterator[str]:
    """A line for each ranking label: its errors and the bias baseline's."""
    for name, label in labels.items():
        yield f"{name}: {_format_label(label)} ({label.events:,} test events)"


def _format_label(label: LabelSummary) -> str:
    if label.note:
        return f"not measured: {label.note}"
    rmse = f"RMSE {label.rmse:.4f}, bias baseline {label.bias_baseline_rmse:.4f}"
    if label.kind == "regression":
        return f"{rmse}; MAE {label.mae:.4f}, bias baseline {label.bias_baseline_mae:.4f}"
    return (
        f"{rmse}; log loss {label.log_loss:.4f}; expected calibration error "
        f"{label.expected_calibration_error:.4f}, uncalibrated "
        f"{label.uncalibrated_expected_calibration_error:.4f}"
    )
