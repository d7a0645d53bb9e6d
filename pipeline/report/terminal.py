"""What a person sees of a run at its end."""

from collections.abc import Iterator
from typing import Any, TextIO

from rich.console import Console

from pipeline.report import event_log, terminal_tables

_MAX_EXAMPLES = 5


class _PlainConsole(Console):
    def on_broken_pipe(self) -> None:
        """Lets the command line end it; rich would end it as a bug of ours, with exit code 1."""
        raise  # noqa: PLE0704, rich calls it where the error is handled


def make_console(file: TextIO | None = None) -> Console:
    """Prints to `file`, stdout where absent. Titles and ids are text: `[b]` in one is no markup."""
    return _PlainConsole(file=file, markup=False, highlight=False, emoji=False)


def print_report(summary: dict[str, Any], console: Console) -> None:
    """Rows, metrics beside baselines, fairness, index, verdict, pushed versions,
    recommendations.
    """
    executed = sum(not stage["cached"] for stage in summary["stages"])
    if not executed:
        console.print("nothing changed: no component was executed, everything came from the cache")
    console.print(_format_rows(summary["rows"]))
    for line in _format_rejected(summary["rejected_by_reason"]):
        console.print(line)
    for line in event_log.format_log(summary.get("log", {})):
        console.print(line, soft_wrap=True)
    for line in _format_unreadable(summary["unreadable"]):
        console.print(line)
    console.print(terminal_tables.make_quality_table(summary))
    console.print(terminal_tables.make_differences_table(summary))
    for line in _format_measurements(summary):
        console.print(line)
    _print_verdict(summary["verdict"], console)
    for name, pushed in summary["servables"].items():
        console.print(
            f"pushed {name} version {pushed['version']}: {pushed['path']}", soft_wrap=True
        )
    for answer in summary["examples"][:_MAX_EXAMPLES]:
        print_recommendations(answer, console)


def _format_measurements(summary: dict[str, Any]) -> Iterator[str]:
    ranking = summary["ranking"]
    yield terminal_tables.format_user_count(summary)
    yield _format_order(ranking)
    yield from terminal_tables.format_label_errors(ranking["labels"])
    yield from terminal_tables.format_fairness(summary["fairness"])
    yield _format_index(summary["index"])


def _print_verdict(verdict: dict[str, Any], console: Console) -> None:
    for note in terminal_tables.format_rule_notes(verdict):
        console.print(note)
    broken = terminal_tables.make_broken_rules_table(verdict)
    if broken is not None:
        console.print(broken)
    console.print(terminal_tables.format_verdict(verdict))


def print_recommendations(answer: dict[str, Any], console: Console | None = None) -> None:
    """One user's list, with the history that it follows from."""
    console = console or make_console()
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


def _format_rows(rows: dict[str, int]) -> str:
    said = {name: f"{count:,}" for name, count in rows.items()}
    return (
        f"\nrows: {said['read']} read, {said['accepted']} accepted, {said['rejected']} rejected, "
        f"{said['duplicates']} duplicates\n"
        f"      {said['train']} train, {said['valid']} valid, {said['test']} test, "
        f"of {said['users']} users on {said['items']} items"
    )


def _format_rejected(by_table: dict[str, dict[str, int]]) -> Iterator[str]:
    """A line for each table and reason; nothing where every record was accepted."""
    for table, reasons in by_table.items():
        for reason, count in reasons.items():
            yield f"      {count:,} of {table} rejected: {reason}, kept in rejected/{table}/"


def _format_unreadable(by_table: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A line for each field with values that count as absent."""
    for table, fields in by_table.items():
        for key, found in fields.items():
            yield (
                f"      {found['values']:,} of {table} without {key}, which could not be read: "
                f"{found['example']}"
            )


def _format_order(ranking: dict[str, Any]) -> str:
    measured = ranking["training"]
    low, high = measured["valid_difference_low"], measured["valid_difference_high"]
    return (
        f"final lists are in {ranking['order']}'s order: NDCG@10 on held-out valid events is "
        f"{measured['valid_ranking_ndcg@10']:.4f} after ranking, "
        f"{measured['valid_retrieval_ndcg@10']:.4f} before; the difference is "
        f"{measured['valid_difference']:+.4f} (95 % interval {low:+.4f} to {high:+.4f})"
    )


def _format_index(index: dict[str, Any]) -> str:
    return (
        f"index: {index['kind']}, {index['items']:,.0f} items, "
        f"ANN recall@100 {index['ann_recall@100']:.3f}, "
        f"p50 {index['p50_ms']:.2f} ms (exact {index['exact_p50_ms']:.2f} ms)"
    ) + _format_ineligible(index)


def _format_ineligible(index: dict[str, Any]) -> str:
    """What the catalogue and the deny list keep from lists; summaries of old runs do not say it."""
    unavailable, denied, unknown = (
        index.get(name, 0) for name in ("unavailable", "denied", "denied_unknown")
    )
    said = f"; {unavailable:,} items are not available" if unavailable else ""
    said += f"; {denied:,} ids are denied" if denied else ""
    return said + (f", of which the catalogue lacks {unknown:,}" if unknown else "")
