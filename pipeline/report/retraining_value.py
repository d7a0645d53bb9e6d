"""What retraining day by day is worth: each day's quality beside models that were left as they are.

A day's questions are those of its test split, the latest day of its window, which none of the
models has learned. All lists answer the same users with the same histories; see
`components.pushed.baseline`.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from trainer import paired_difference
from trainer.metrics.confidence import Interval

Row = dict[str, Any]
RETRAINED = "retrained"
NEVER_RETRAINED = "never_retrained"
LEFT_ALONE = "left_alone"
LISTS = (RETRAINED, NEVER_RETRAINED, LEFT_ALONE, "pushed_before", "popular", "recent")
"""This day's models; the oldest pushed version with this day's popularity, and with its own; the
version that served when the day began; two counters."""
METRICS = ("ndcg@10", "recall@10", "recall@100")
_Z = 1.96


def day(span: str, fingerprint: str, summary: Mapping[str, Any]) -> Row:
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
        "quality": {name: _metrics(found[name]) for name in LISTS if _metrics(found.get(name))},
        "difference": final["against"].get(NEVER_RETRAINED),
    }


def refused(span: str, fingerprint: str, why: str) -> Row:
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


def overall(days: Iterable[Row]) -> Row | None:
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
            name: {metric: _mean(compared, ("quality", name, metric)) for metric in METRICS}
            for name in names
        },
        "difference": {metric: _pooled(compared, metric, users) for metric in METRICS},
    }


def _metrics(found: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: found[name] for name in METRICS if name in found} if found else {}


def _mean(days: list[Row], path: tuple[str, ...]) -> float:
    """Over users."""
    total = 0.0
    for row in days:
        value: Any = row
        for key in path:
            value = value[key]
        total += row["users"] * value
    return total / sum(row["users"] for row in days)


def _pooled(days: list[Row], metric: str, users: int) -> Row:
    value = _mean(days, ("difference", metric, "value"))
    errors = (
        row["users"] * (row["difference"][metric]["high"] - row["difference"][metric]["low"])
        for row in days
    )
    error = math.sqrt(sum(error**2 for error in errors)) / (2 * _Z * users)
    found = Interval(value, value - _Z * error, value + _Z * error)
    said = paired_difference.verdict(found, users)
    return {"value": value, "low": found.low, "high": found.high, "users": users, "verdict": said}
