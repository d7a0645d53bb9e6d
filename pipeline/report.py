"""What a person sees of a run at its end."""

from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

_METRICS = ("recall@10", "ndcg@10", "recall@100", "coverage@10")


def plain_console(file: TextIO | None = None) -> Console:
    """Prints to `file`, stdout where absent. Titles and ids are text: `[b]` in one is no markup."""
    return Console(file=file, markup=False, highlight=False, emoji=False)


def show(summary: dict[str, Any], console: Console) -> None:
    """Rows, metrics beside baselines, index, pushed versions, recommendations."""
    executed = sum(not stage["cached"] for stage in summary["stages"])
    if not executed:
        console.print("nothing changed: no component was executed, everything came from the cache")
    console.print(_rows(summary["rows"]), highlight=False)
    console.print(_quality(summary))
    console.print(_order(summary["ranking"]), highlight=False)
    for name, found in summary["ranking"]["labels"].items():
        console.print(
            f"{name}: RMSE {found['rmse']:.4f}, bias baseline {found['bias_baseline_rmse']:.4f} "
            f"({found['events']:,} test events)",
            highlight=False,
        )
    index = summary["index"]
    console.print(
        f"index: {index['kind']}, {index['items']:,.0f} items, "
        f"ANN recall@100 {index['ann_recall@100']:.3f}, "
        f"p50 {index['p50_ms']:.2f} ms (exact {index['exact_p50_ms']:.2f} ms)",
        highlight=False,
    )
    for name, pushed in summary["servables"].items():
        console.print(
            f"pushed {name} version {pushed['version']}: {pushed['path']}", soft_wrap=True
        )
    for answer in summary["examples"]:
        show_recommendations(answer, console)


def show_recommendations(answer: dict[str, Any], console: Console | None = None) -> None:
    """One user's list, with the history that it follows from."""
    console = console or plain_console()
    who = "" if answer["known_user"] else " (unknown: answered as for a new user)"
    console.print(f"\nuser {answer['user_id']}{who}", highlight=False)
    if answer["history"]:
        history = ", ".join(event["title"] for event in answer["history"])
        console.print(f"  after {history}", highlight=False)
    for item in answer["recommendations"]:
        console.print(
            f"  {item['rank']:>3}  {item['score']:>8.3f}  {item['title']}  [{item['item_id']}]",
            highlight=False,
            markup=False,
        )


def _rows(rows: dict[str, int]) -> str:
    said = {name: f"{count:,}" for name, count in rows.items()}
    return (
        f"\nrows: {said['read']} read, {said['accepted']} accepted, {said['rejected']} rejected, "
        f"{said['duplicates']} duplicates\n"
        f"      {said['train']} train, {said['valid']} valid, {said['test']} test, "
        f"of {said['users']} users on {said['items']} items"
    )


def _order(ranking: dict[str, Any]) -> str:
    measured = ranking["training"]
    return (
        f"final lists are in {ranking['order']}'s order: NDCG@10 on held-out valid events is "
        f"{measured['valid_ranking_ndcg@10']:.4f} after ranking, "
        f"{measured['valid_retrieval_ndcg@10']:.4f} before"
    )


def _quality(summary: dict[str, Any]) -> Table:
    table = Table(title="quality on test", title_justify="left")
    table.add_column("")
    for name in _METRICS:
        table.add_column(name, justify="right")
    found = {"retrieval": summary["retrieval"], "final lists": summary["ranking"]}
    found |= summary["retrieval"]["baselines"]
    if "ceiling" in summary["retrieval"]:
        found["ceiling of any method"] = summary["retrieval"]["ceiling"]
    for name, metrics in found.items():
        cells = (f"{metrics[metric]:.4f}" if metric in metrics else "" for metric in _METRICS)
        table.add_row(name, *cells)
    return table
