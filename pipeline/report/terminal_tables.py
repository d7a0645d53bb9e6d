"""Quality on test at a run's end: each kind of lists beside the baselines, with 95 % intervals.

The gate's verdict at a run's end, and what failed by how much.

A line for each declared group at a run's end: the gap, where it lies, and its limit.

A line for each ranking label at a run's end: its errors beside the bias baseline's.
"""

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from schema.signatures import RANKING

Metrics = dict[str, Any]
_QUALITY_COLUMNS = ("ndcg@10", "recall@10", "recall@100", "coverage@10")
_DIFFERENCE_COLUMNS = ("ndcg@10", "recall@10", "recall@100")
_MAIN_METRIC = "ndcg@10"
_PUSHED = "pushed"
Verdict = dict[str, Any]
FairnessRow = dict[str, Any]
LabelRow = dict[str, Any]


def make_quality_table(summary: dict[str, Any]) -> Table:
    """A row for each kind of lists. A metric's interval stands behind it, where it has one."""
    table = Table(title="quality on test, with 95 % intervals", title_justify="left")
    table.add_column("")
    for name in _QUALITY_COLUMNS:
        table.add_column(name, justify="right")
    for name, found in _list_quality_rows(summary):
        table.add_row(name, *(_format_metric(found, metric) for metric in _QUALITY_COLUMNS))
    return table


def make_differences_table(summary: dict[str, Any]) -> Table:
    """Ours minus those of the baseline with the highest NDCG@10 and of what is pushed now, each
    with its verdict; of the final lists minus retrieval's, where these are not the same.
    """
    table = Table(title="differences on test, and what the noise allows to say of them")
    table.title_justify = "left"
    table.add_column("")
    for name in _DIFFERENCE_COLUMNS:
        table.add_column(name, justify="right")
    for name, found in _list_comparisons(summary):
        table.add_row(name, *(_format_difference(found, metric) for metric in _DIFFERENCE_COLUMNS))
    return table


def format_user_count(summary: dict[str, Any]) -> str:
    """How many users were asked, and whether they are too few."""
    retrieval = summary["retrieval"]
    note = f"; {retrieval['note']}" if "note" in retrieval else ""
    return f"{retrieval['users']:,} test users were asked{note}"


def _list_comparisons(summary: dict[str, Any]) -> Iterator[tuple[str, dict[str, Metrics]]]:
    retrieval, final = summary["retrieval"], summary["ranking"]
    best = max(retrieval["baselines"], key=lambda name: retrieval["baselines"][name][_MAIN_METRIC])
    called = best.replace("_", " ")
    yield f"retrieval - {called}", retrieval["against"][best]
    yield f"final lists - {called}", final["against"][best]
    if final["order"] == RANKING:
        yield "final lists - retrieval", final["against"]["retrieval"]
    if _PUSHED in final["against"]:
        yield "final lists - pushed now", final["against"][_PUSHED]


def _format_difference(found: dict[str, Metrics], metric: str) -> str:
    return f"{found[metric]['value']:+.4f} {found[metric]['verdict']}" if metric in found else ""


def _list_quality_rows(summary: dict[str, Any]) -> Iterator[tuple[str, Metrics]]:
    retrieval = summary["retrieval"]
    yield "retrieval", retrieval
    yield "final lists", summary["ranking"]
    for name, found in retrieval["baselines"].items():
        yield name.replace("_", " "), found
    before = summary["verdict"]["pushed_before"]
    if before is not None:
        yield f"pushed version {before['version']}", before
    if "ceiling" in retrieval:
        yield "ceiling of any method", retrieval["ceiling"]


def _format_metric(found: Metrics, metric: str) -> str:
    if metric not in found:
        return ""
    interval = found.get("intervals", {}).get(metric)
    bounds = (
        f" {_format_share(interval['low'])}-{_format_share(interval['high'])}" if interval else ""
    )
    return f"{found[metric]:.4f}{bounds}"


def _format_share(share: float) -> str:
    """`.123`: the nought before the point is left out where it is one."""
    return f"{share:.3f}".removeprefix("0")


def format_verdict(verdict: Verdict) -> str:
    """Whether the models are blessed, and who pushed them all the same."""
    rules = verdict["rules"]
    failed = sum(not rule["passed"] for rule in rules)
    if not failed:
        return f"blessed: {_count_rules(len(rules))} held"
    said = f"not blessed: {failed} of {_count_rules(len(rules))} broken"
    forced = verdict["forced"]
    return f"{said}; pushed by {forced['who']} all the same: {forced['why']}" if forced else said


def make_broken_rules_table(verdict: Verdict) -> Table | None:
    """The broken rules; None where there is none."""
    broken = [rule for rule in verdict["rules"] if not rule["passed"]]
    if not broken:
        return None
    table = Table(title="broken rules", title_justify="left")
    table.add_column("rule")
    for name in ("expected", "received", "difference", "95 % interval"):
        table.add_column(name, justify="right")
    for rule in broken:
        table.add_row(rule["rule"], *_format_rule(rule))
    return table


def format_rule_notes(verdict: Verdict) -> list[str]:
    """What has to be said of rules, broken or not, each once: that they could not be measured, for
    example.
    """
    said: dict[str, list[str]] = {}
    for rule in verdict["rules"]:
        if "note" in rule:
            said.setdefault(rule["note"], []).append(rule["rule"])
    return [f"{'; '.join(rules)}: {note}" for note, rules in said.items()]


def _format_rule(rule: Verdict) -> list[str]:
    expected, received = rule["expected"], rule["received"]
    if expected is None or received is None:
        return [_format_rule_value(expected), _format_rule_value(received), "", ""]
    low, high = rule.get("low"), rule.get("high")
    interval = "" if low is None or high is None else f"{low:+.4f} to {high:+.4f}"
    return [
        _format_rule_value(expected),
        _format_rule_value(received),
        f"{received - expected:+.4f}",
        interval,
    ]


def _format_rule_value(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"


def _count_rules(rules: int) -> str:
    return "1 rule" if rules == 1 else f"{rules} rules"


def format_fairness(fairness: dict[str, dict[str, FairnessRow]]) -> Iterator[str]:
    """`fairness` is the part of the summary of that name."""
    for table, said in (("users", _format_user_gap), ("items", _format_item_gap)):
        for name, found in fairness.get(table, {}).items():
            gap = said(found) if "gap" in found else f"not measured: {found['note']}"
            yield f"fairness of {name}, {found['metric']}: {gap}"


def _format_user_gap(found: FairnessRow) -> str:
    gap, groups = found["gap"], found["groups"]
    best, worst = (groups[found[which]]["metric"]["value"] for which in ("best", "worst"))
    return (
        f"gap {gap['value']:.4f} ({gap['low']:+.4f} to {gap['high']:+.4f}), "
        f"{found['best']} {best:.4f}, {found['worst']} {worst:.4f}"
        + _format_limit(gap["value"], found["limit"])
    )


def _format_item_gap(found: FairnessRow) -> str:
    widest = found["groups"][found["widest"]]
    difference = widest["difference"]
    return (
        f"gap {found['gap']:.4f}, {found['widest']} has {widest['exposure']['value']:.4f} of the "
        f"exposure and {widest['relevance']['value']:.4f} of what is taken "
        f"({difference['low']:+.4f} to {difference['high']:+.4f})"
        + _format_limit(found["gap"], found["limit"])
    )


def _format_limit(gap: float, limit: float | None) -> str:
    if limit is None:
        return ", no limit"
    return f", limit {limit:g} {'kept' if gap <= limit else 'broken'}"


def format_label_errors(labels: dict[str, LabelRow]) -> Iterator[str]:
    """`labels` is `ranking.labels` of the summary."""
    for name, found in labels.items():
        yield f"{name}: {_format_label(found)} ({found['events']:,} test events)"


def _format_label(found: LabelRow) -> str:
    if "note" in found:
        return f"not measured: {found['note']}"
    rmse = f"RMSE {found['rmse']:.4f}, bias baseline {found['bias_baseline_rmse']:.4f}"
    if found["kind"] == "regression":
        return f"{rmse}; MAE {found['mae']:.4f}, bias baseline {found['bias_baseline_mae']:.4f}"
    return (
        f"{rmse}; log loss {found['log_loss']:.4f}; expected calibration error "
        f"{found['expected_calibration_error']:.4f}, uncalibrated "
        f"{found['uncalibrated_expected_calibration_error']:.4f}"
    )
