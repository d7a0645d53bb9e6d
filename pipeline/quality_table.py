"""Quality on test at a run's end: each kind of lists beside the baselines, with 95 % intervals."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table

Metrics = dict[str, Any]

_COLUMNS = ("ndcg@10", "recall@10", "recall@100", "coverage@10")
_MAIN = "ndcg@10"
_PUSHED = "pushed"


def table(summary: dict[str, Any]) -> Table:
    """A row for each kind of lists. A metric's interval stands behind it, where it has one."""
    table = Table(title="quality on test, with 95 % intervals", title_justify="left")
    table.add_column("")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for name, found in _rows(summary):
        table.add_row(name, *(_cell(found, metric) for metric in _COLUMNS))
    return table


def sentences(summary: dict[str, Any]) -> Iterator[str]:
    """How many were asked, what that allows to say, and whether ours are better than others'."""
    retrieval, final = summary["retrieval"], summary["ranking"]
    note = f"; {retrieval['note']}" if "note" in retrieval else ""
    yield f"{retrieval['users']:,} test users were asked{note}"
    best = max(retrieval["baselines"], key=lambda name: retrieval["baselines"][name][_MAIN])
    called = f"{best.replace('_', ' ')}, the best baseline"
    yield _against("retrieval", retrieval, best, called)
    yield _against("final lists", final, best, called)
    yield _against("final lists", final, "retrieval", "retrieval")
    if _PUSHED in final["against"]:
        yield _against("final lists", final, _PUSHED, "what is pushed now")


def _rows(summary: dict[str, Any]) -> Iterator[tuple[str, Metrics]]:
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


def _cell(found: Metrics, metric: str) -> str:
    if metric not in found:
        return ""
    interval = found.get("intervals", {}).get(metric)
    bounds = f" {_short(interval['low'])}-{_short(interval['high'])}" if interval else ""
    return f"{found[metric]:.4f}{bounds}"


def _short(share: float) -> str:
    """`.123`: the nought before the point is left out where it is one."""
    return f"{share:.3f}".removeprefix("0")


def _against(name: str, found: Metrics, other: str, called: str) -> str:
    said = "; ".join(
        f"{metric} {row['value']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f}) {row['verdict']}"
        for metric, row in found["against"][other].items()
    )
    return f"{name} against {called}: {said}"
