"""The days of a backfill as a person reads them."""

from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.report.retraining_value import LEFT_ALONE, NEVER_RETRAINED, RETRAINED, Row

_METRIC = "ndcg@10"
_COLUMNS = (RETRAINED, NEVER_RETRAINED, LEFT_ALONE, "popular", "recent")


def line(row: Row) -> str:
    """One day, when it has ended."""
    said = f"pushed version {row['pushed']}" if row["pushed"] else "not blessed, nothing pushed"
    quality = "  ".join(
        f"{name.replace('_', ' ')} {row['quality'][name][_METRIC]:.4f}"
        for name in (RETRAINED, NEVER_RETRAINED, "popular")
        if name in row["quality"]
    )
    return f"{row['span']}  {row.get('seconds', 0):>7.1f} s  {said}  NDCG@10: {quality}"


def show(record: dict[str, Any], console: Console) -> None:
    """A row a day, then what they say together."""
    console.print(_table(record["days"]))
    console.print(sentence(record["overall"]), soft_wrap=True)


def sentence(overall: Row | None) -> str:
    """Whether retraining was worth it."""
    if overall is None:
        return "no day has a never-retrained model beside it yet"
    quality, found = overall["quality"], overall["difference"][_METRIC]
    return (
        f"{overall['days']} days, {overall['users']:,} users: NDCG@10 "
        f"{quality[RETRAINED][_METRIC]:.4f} retrained, "
        f"{quality[NEVER_RETRAINED][_METRIC]:.4f} never retrained; the difference is "
        f"{found['value']:+.4f} (95 % interval {found['low']:+.4f} to {found['high']:+.4f}): "
        f"{found['verdict']}"
    )


def _table(days: list[Row]) -> Table:
    """Narrow enough for 80 columns."""
    table = Table(title="NDCG@10 of each day's events, which none of the models had learned")
    table.title_justify, table.box, table.padding = "left", None, (0, 0, 0, 1)
    for name in ("span", "users", "pushed", *_COLUMNS, "gain"):
        table.add_column(name.replace("_", " "), justify="right")
    for row in days:
        values = [row["quality"].get(name, {}).get(_METRIC) for name in _COLUMNS]
        table.add_row(
            row["span"],
            f"{row['users']:,}",
            str(row["pushed"]) if row["pushed"] else "no",
            *("" if value is None else f"{value:.4f}" for value in values),
            f"{row['difference'][_METRIC]['value']:+.4f}" if row["difference"] else "",
        )
    return table
