"""What daily retraining is worth: each day's quality compared with models that were not retrained.

A day's evaluation queries are those of its test split, the latest day of its window, from which no
model has learned. All lists answer the same users with the same histories; see
`components.pushed.baseline`.
"""

import math
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from schema.evaluation_summary import ListMetrics
from schema.run_summary import RunSummary
from schema.signatures import RECOMMENDER
from trainer.metrics import confidence
from trainer.metrics.confidence import Interval

DayRecord = dict[str, Any]
RETRAINED = "retrained"
NEVER_RETRAINED = "never_retrained"
LEFT_ALONE = "left_alone"
LISTS = (RETRAINED, NEVER_RETRAINED, LEFT_ALONE, "pushed_before", "popular", "recent")
"""This day's models; the oldest pushed version with this day's popularity, and with its own; the
version served when the day began; two baselines that count events."""
METRICS = ("ndcg@10", "recall@10", "recall@100")
_Z = 1.96
_MAIN_METRIC = "ndcg@10"
_TABLE_COLUMNS = (RETRAINED, NEVER_RETRAINED, LEFT_ALONE, "popular", "recent")


def make_day_record(span: str, fingerprint: str, summary: RunSummary) -> DayRecord:
    """The record of day `span`; `fingerprint` identifies its data and configuration."""
    final, verdict = summary.ranking, summary.verdict
    pushed, oldest = summary.servables.get(RECOMMENDER), summary.beside.get(NEVER_RETRAINED)
    difference = final.against.get(NEVER_RETRAINED)
    return {
        "span": span,
        "fingerprint": fingerprint,
        "users": summary.retrieval.users,
        "blessed": verdict.blessed,
        "broken": [rule.rule for rule in verdict.failed],
        "pushed": pushed.version if pushed else None,
        "oldest": oldest.version if oldest else None,
        "warm_start": summary.retrieval.warm_start,
        "events": {
            "train": summary.rows.train, "valid": summary.rows.valid, "test": summary.rows.test,
        },
        "seconds": round(sum(stage.seconds for stage in summary.stages), 1),
        "quality": _collect_quality(summary),
        "difference": difference
        and {metric: value.to_json() for metric, value in difference.items()},
    }  # fmt: skip


def _collect_quality(summary: RunSummary) -> dict[str, dict[str, float]]:
    """METRICS of each of LISTS that was evaluated."""
    lists: dict[str, ListMetrics | None] = {RETRAINED: summary.ranking}
    lists["pushed_before"] = summary.verdict.pushed_before
    lists |= summary.retrieval.baselines | summary.beside
    if (
        RECOMMENDER in summary.servables and not summary.beside
    ):  # the oldest version is this day's own
        lists |= {NEVER_RETRAINED: summary.ranking, LEFT_ALONE: summary.ranking}
    quality = {name: _select_metrics(lists.get(name)) for name in LISTS}
    return {name: metrics for name, metrics in quality.items() if metrics}


def make_refused_day(span: str, fingerprint: str, reason: str) -> DayRecord:
    """The record of a day whose index missed its recall target, before evaluation."""
    return {
        "span": span,
        "fingerprint": fingerprint,
        "users": 0,
        "blessed": False,
        "broken": [reason],
        "pushed": None,
        "quality": {},
        "difference": None,
    }


def compute_overall(days: Iterable[DayRecord]) -> DayRecord | None:
    """Means over the users of all days that have a never-retrained model, and the verdict on the
    difference; None where there is no such day.

    The difference of `n_d` users of day d with the interval [low, high] has the standard error
    s_d = (high - low) / (2 x 1.96); that of all is sqrt(sum (n_d s_d)^2) / sum n_d. Days are
    treated as independent, although the never-retrained model is the same on all of them.
    """
    compared = [row for row in days if row["difference"] is not None]
    if not compared:
        return None
    users = sum(row["users"] for row in compared)
    names = [name for name in LISTS if all(name in row["quality"] for row in compared)]
    return {
        "days": len(compared),
        "users": users,
        "quality": {
            name: {
                metric: _average_over_users(compared, ("quality", name, metric))
                for metric in METRICS
            }
            for name in names
        },
        "difference": {metric: _pool_differences(compared, metric, users) for metric in METRICS},
    }


def _select_metrics(lists: ListMetrics | None) -> dict[str, float]:
    return {name: lists.metrics[name] for name in METRICS if name in lists.metrics} if lists else {}


def _average_over_users(days: list[DayRecord], path: tuple[str, ...]) -> float:
    """The mean of the value at `path`, weighted by users."""
    total = 0.0
    for row in days:
        value: Any = row
        for key in path:
            value = value[key]
        total += row["users"] * value
    return total / sum(row["users"] for row in days)


def _pool_differences(days: list[DayRecord], metric: str, users: int) -> DayRecord:
    value = _average_over_users(days, ("difference", metric, "value"))
    errors = (
        row["users"] * (row["difference"][metric]["high"] - row["difference"][metric]["low"])
        for row in days
    )
    error = math.sqrt(sum(error**2 for error in errors)) / (2 * _Z * users)
    interval = Interval(value, value - _Z * error, value + _Z * error)
    verdict = confidence.decide_verdict(interval, users)
    return {
        "value": value,
        "low": interval.low,
        "high": interval.high,
        "users": users,
        "verdict": verdict,
    }


def format_day(row: DayRecord) -> str:
    """A finished day in one line."""
    outcome = f"pushed version {row['pushed']}" if row["pushed"] else "not blessed, nothing pushed"
    quality = "  ".join(
        f"{name.replace('_', ' ')} {row['quality'][name][_MAIN_METRIC]:.4f}"
        for name in (RETRAINED, NEVER_RETRAINED, "popular")
        if name in row["quality"]
    )
    return f"{row['span']}  {row.get('seconds', 0):>7.1f} s  {outcome}  NDCG@10: {quality}"


def print_days(record: dict[str, Any], console: Console) -> None:
    """Prints a row per day, then the result over all of them."""
    console.print(_make_days_table(record["days"]))
    console.print(format_overall(record["overall"]), soft_wrap=True)


def format_overall(overall: DayRecord | None) -> str:
    """Describes whether retraining paid."""
    if overall is None:
        return "no day has a never-retrained model to compare with yet"
    quality, difference = overall["quality"], overall["difference"][_MAIN_METRIC]
    return (
        f"{overall['days']} days, {overall['users']:,} users: NDCG@10 "
        f"{quality[RETRAINED][_MAIN_METRIC]:.4f} retrained, "
        f"{quality[NEVER_RETRAINED][_MAIN_METRIC]:.4f} never retrained; the difference is "
        f"{difference['value']:+.4f} (95 % interval {difference['low']:+.4f} to "
        f"{difference['high']:+.4f}): {difference['verdict']}"
    )


def _make_days_table(days: list[DayRecord]) -> Table:
    """Narrow enough for 80 columns."""
    table = Table(title="NDCG@10 of each day's events, on which none of the models was trained")
    table.title_justify, table.box, table.padding = "left", None, (0, 0, 0, 1)
    for name in ("span", "users", "pushed", *_TABLE_COLUMNS, "gain"):
        table.add_column(name.replace("_", " "), justify="right")
    for row in days:
        values = [row["quality"].get(name, {}).get(_MAIN_METRIC) for name in _TABLE_COLUMNS]
        table.add_row(
            row["span"],
            f"{row['users']:,}",
            str(row["pushed"]) if row["pushed"] else "no",
            *("" if value is None else f"{value:.4f}" for value in values),
            f"{row['difference'][_MAIN_METRIC]['value']:+.4f}" if row["difference"] else "",
        )
    return table
