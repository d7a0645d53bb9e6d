"""Quality on test at a run's end: each kind of lists beside the baselines, with 95 % intervals."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from schema.signatures import RANKING

Metrics = dict[str, Any]

_COLUMNS = ("ndcg@10", "recall@10", "recall@100", "coverage@10")
_COMPARED = ("ndcg@10", "recall@10", "recall@100")
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


def differences(summary: dict[str, Any]) -> Table:
    """Ours minus those of the baseline with the highest NDCG@10 and of what is pushed now, each
    with its verdict; of the final lists minus retrieval's, where these are not the same.
    """
    table = Table(title="differences on test, and what the noise allows to say of them")
    table.title_justify = "left"
    table.add_column("")
    for name in _COMPARED:
        table.add_column(name, justify="right")
    for name, found in _pairs(summary):
        table.add_row(name, *(_verdict(found, metric) for metric in _COMPARED))
    return table


def asked(summary: dict[str, Any]) -> str:
    """How many users were asked, and whether they are too few."""
    retrieval = summary["retrieval"]
    note = f"; {retrieval['note']}" if "note" in retrieval else ""
    return f"{retrieval['users']:,} test users were asked{note}"


def _pairs(summary: dict[str, Any]) -> Iterator[tuple[str, dict[str, Metrics]]]:
    retrieval, final = summary["retrieval"], summary["ranking"]
    best = max(retrieval["baselines"], key=lambda name: retrieval["baselines"][name][_MAIN])
    called = best.replace("_", " ")
    yield f"retrieval - {called}", retrieval["against"][best]
    yield f"final lists - {called}", final["against"][best]
    if final["order"] == RANKING:
        yield "final lists - retrieval", final["against"]["retrieval"]
    if _PUSHED in final["against"]:
        yield "final lists - pushed now", final["against"][_PUSHED]


def _verdict(found: dict[str, Metrics], metric: str) -> str:
    return f"{found[metric]['value']:+.4f} {found[metric]['verdict']}" if metric in found else ""


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
