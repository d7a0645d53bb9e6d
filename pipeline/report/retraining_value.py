"""What retraining day by day is worth: each day's quality beside models that were left as they are.

A day's questions are those of its test split, the latest day of its window, which none of the
models has learned. All lists answer the same users with the same histories; see
`components.pushed.baseline`.

The days of a backfill as a person reads them.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from trainer.metrics import confidence
from trainer.metrics.confidence import Interval

DayRecord = dict[str, Any]
RETRAINED = "retrained"
NEVER_RETRAINED = "never_retrained"
LEFT_ALONE = "left_alone"
LISTS = (RETRAINED, NEVER_RETRAINED, LEFT_ALONE, "pushed_before", "popular", "recent")
"""This day's models; the oldest pushed version with this day's popularity, and with its own; the
version that served when the day began; two counters."""
METRICS = ("ndcg@10", "recall@10", "recall@100")
_Z = 1.96
_MAIN_METRIC = "ndcg@10"
_TABLE_COLUMNS = (RETRAINED, NEVER_RETRAINED, LEFT_ALONE, "popular", "recent")


def make_day_record(span: str, fingerprint: str, summary: Mapping[str, Any]) -> DayRecord:
    """The day `span` of a run's summary; `fingerprint` tells what it was made of."""
    retrieval, final = summary["retrieval"], summary["ranking"]
    verdict, pushed = summary["verdict"], summary["servables"].get("recommender")
    found = {RETRAINED: final, "pushed_before": verdict["pushed_before"]}
    found |= retrieval["baselines"] | summary["beside"]
    if pushed and not summary["beside"]:  # the oldest version is this day's own
        found |= {NEVER_RETRAINED: final, LEFT_ALONE: final}
    return {
        "span": span,
        "fingerprint": fingerprint,
        "users": retrieval["users"],
        "blessed": verdict["blessed"],
        "broken": [rule["rule"] for rule in verdict["rules"] if not rule["passed"]],
        "pushed": pushed["version"] if pushed else None,
        "oldest": summary["beside"].get(NEVER_RETRAINED, {}).get("version"),
        "warm_start": retrieval.get("warm_start"),
        "events": {split: summary["rows"][split] for split in ("train", "valid", "test")},
        "seconds": round(sum(stage["seconds"] for stage in summary["stages"]), 1),
        "quality": {
            name: _select_metrics(found[name]) for name in LISTS if _select_metrics(found.get(name))
        },
        "difference": final["against"].get(NEVER_RETRAINED),
    }


def make_refused_day(span: str, fingerprint: str, why: str) -> DayRecord:
    """A day whose index missed its target: it was refused before anything was evaluated."""
    return {
        "span": span,
        "fingerprint": fingerprint,
        "users": 0,
        "blessed": False,
        "broken": [why],
        "pushed": None,
        "quality": {},
        "difference": None,
    }


def compute_overall(days: Iterable[DayRecord]) -> DayRecord | None:
    """Means over the users of all days that have a never-retrained model beside them, and what the
    noise allows to say of the difference; None where there is no such day.

    The difference of `n_d` users of day d with the interval [low, high] has the standard error
    s_d = (high - low) / (2 x 1.96); that of all is sqrt(sum (n_d s_d)^2) / sum n_d. Days are taken
    as independent, although the same never-retrained model is asked on each of them.
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


def _select_metrics(found: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: found[name] for name in METRICS if name in found} if found else {}


def _average_over_users(days: list[DayRecord], path: tuple[str, ...]) -> float:
    """Over users."""
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
    found = Interval(value, value - _Z * error, value + _Z * error)
    said = confidence.decide_verdict(found, users)
    return {"value": value, "low": found.low, "high": found.high, "users": users, "verdict": said}


def format_day(row: DayRecord) -> str:
    """One day, when it has ended."""
    said = f"pushed version {row['pushed']}" if row["pushed"] else "not blessed, nothing pushed"
    quality = "  ".join(
        f"{name.replace('_', ' ')} {row['quality'][name][_MAIN_METRIC]:.4f}"
        for name in (RETRAINED, NEVER_RETRAINED, "popular")
        if name in row["quality"]
    )
    return f"{row['span']}  {row.get('seconds', 0):>7.1f} s  {said}  NDCG@10: {quality}"


def print_days(record: dict[str, Any], console: Console) -> None:
    """A row a day, then what they say together."""
    console.print(_make_days_table(record["days"]))
    console.print(format_overall(record["overall"]), soft_wrap=True)


def format_overall(overall: DayRecord | None) -> str:
    """Whether retraining was worth it."""
    if overall is None:
        return "no day has a never-retrained model beside it yet"
    quality, found = overall["quality"], overall["difference"][_MAIN_METRIC]
    return (
        f"{overall['days']} days, {overall['users']:,} users: NDCG@10 "
        f"{quality[RETRAINED][_MAIN_METRIC]:.4f} retrained, "
        f"{quality[NEVER_RETRAINED][_MAIN_METRIC]:.4f} never retrained; the difference is "
        f"{found['value']:+.4f} (95 % interval {found['low']:+.4f} to {found['high']:+.4f}): "
        f"{found['verdict']}"
    )


def _make_days_table(days: list[DayRecord]) -> Table:
    """Narrow enough for 80 columns."""
    table = Table(title="NDCG@10 of each day's events, which none of the models had learned")
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
