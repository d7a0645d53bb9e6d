"""A line for each declared group at a run's end: the gap, where it lies, and its limit."""

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]


def lines(fairness: dict[str, dict[str, Row]]) -> Iterator[str]:
    """`fairness` is the part of the summary of that name."""
    for table, said in (("users", _of_users), ("items", _of_items)):
        for name, found in fairness.get(table, {}).items():
            gap = said(found) if "gap" in found else f"not measured: {found['note']}"
            yield f"fairness of {name}, {found['metric']}: {gap}"


def _of_users(found: Row) -> str:
    gap, groups = found["gap"], found["groups"]
    best, worst = (groups[found[which]]["metric"]["value"] for which in ("best", "worst"))
    return (
        f"gap {gap['value']:.4f} ({gap['low']:+.4f} to {gap['high']:+.4f}), "
        f"{found['best']} {best:.4f}, {found['worst']} {worst:.4f}"
        + _limit(gap["value"], found["limit"])
    )


def _of_items(found: Row) -> str:
    widest = found["groups"][found["widest"]]
    difference = widest["difference"]
    return (
        f"gap {found['gap']:.4f}, {found['widest']} has {widest['exposure']['value']:.4f} of the "
        f"exposure and {widest['relevance']['value']:.4f} of what is taken "
        f"({difference['low']:+.4f} to {difference['high']:+.4f})"
        + _limit(found["gap"], found["limit"])
    )


def _limit(gap: float, limit: float | None) -> str:
    if limit is None:
        return ", no limit"
    return f", limit {limit:g} {'kept' if gap <= limit else 'broken'}"
