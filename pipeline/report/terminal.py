"""The report of a run on the terminal."""

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console

from pipeline.report import event_log, terminal_tables
from pipeline.report.propensities import describe_propensities
from schema.evaluation_summary import RankingSummary, VerdictSummary
from schema.run_summary import (
    IndexSummary,
    RowCounts,
    RunSummary,
    UnreadableField,
    UserRecommendations,
)

_MAX_EXAMPLES = 5
_MAX_KINDS = 5


class _PlainConsole(Console):
    def on_broken_pipe(self) -> None:
        """Leaves it to the command line; rich would exit with code 1, as for a bug of ours."""
        raise  # noqa: PLE0704, rich calls it where the error is handled


def make_console(file: TextIO | None = None) -> Console:
    """Prints to `file`, stdout where absent. Titles and ids are text: `[b]` in one is no markup."""
    return _PlainConsole(file=file, markup=False, highlight=False, emoji=False)


def print_report(summary: RunSummary, console: Console) -> None:
    """Prints rows, metrics of lists and baselines, fairness, index, verdict, pushed versions and
    examples.
    """
    executed = sum(not stage.cached for stage in summary.stages)
    if not executed:
        console.print("nothing changed: no component was executed, everything came from the cache")
    console.print(_format_rows(summary.rows))
    for line in _format_rejected(summary.rejected_by_reason):
        console.print(line)
    for line in event_log.format_log(summary.log):
        console.print(line, soft_wrap=True)
    for line in _format_unused(summary.unused):
        console.print(line)
    for line in _format_kinds(summary.unnamed_kinds):
        console.print(line)
    for line in _format_assumed_utc(summary.assumed_utc):
        console.print(line)
    for line in _format_unreadable(summary.unreadable):
        console.print(line)
    console.print(terminal_tables.make_quality_table(summary))
    console.print(terminal_tables.make_differences_table(summary))
    if (propensities := summary.retrieval.propensities) is not None:
        console.print(terminal_tables.make_snips_table(summary))
        console.print(describe_propensities(propensities), soft_wrap=True)
    for line in _format_measurements(summary):
        console.print(line)
    _print_verdict(summary.verdict, console)
    for name, servable in summary.servables.items():
        console.print(f"pushed {name} version {servable.version}: {servable.path}", soft_wrap=True)
    for example in summary.examples[:_MAX_EXAMPLES]:
        print_recommendations(example, console)


def _format_measurements(summary: RunSummary) -> Iterator[str]:
    yield terminal_tables.format_user_count(summary.retrieval)
    yield _format_order(summary.ranking)
    yield from terminal_tables.format_label_errors(summary.ranking.labels)
    yield from terminal_tables.format_fairness(summary.fairness)
    yield _format_index(summary.index)


def _print_verdict(verdict: VerdictSummary, console: Console) -> None:
    for note in terminal_tables.format_rule_notes(verdict):
        console.print(note)
    for warning in terminal_tables.format_warnings(verdict):
        console.print(warning, soft_wrap=True)
    if verdict.failed:
        console.print(terminal_tables.make_broken_rules_table(verdict))
    console.print(terminal_tables.format_verdict(verdict))


def print_recommendations(answer: UserRecommendations, console: Console | None = None) -> None:
    """Prints one user's list, after the latest events of the user's history."""
    console = console or make_console()
    note = "" if answer.known_user else " (unknown: answered as for a new user)"
    console.print(f"\nuser {answer.user_id}{note}")
    if answer.history:
        console.print(f"  after {', '.join(event.title for event in answer.history)}")
    for item in answer.recommendations:
        console.print(f"  {item.rank:>3}  {item.score:>8.3f}  {item.title}  [{item.item_id}]")


def _format_rows(rows: RowCounts) -> str:
    return (
        f"\nrows: {rows.read:,} read, {rows.accepted:,} accepted, {rows.rejected:,} rejected, "
        f"{rows.duplicates:,} duplicates\n"
        f"      {rows.train:,} train, {rows.valid:,} valid, {rows.test:,} test, "
        f"of {rows.users:,} users on {rows.items:,} items"
    )


def _format_rejected(by_table: dict[str, dict[str, int]]) -> Iterator[str]:
    """A line for each table and reason; nothing where every record was accepted."""
    for table, reasons in by_table.items():
        for reason, count in reasons.items():
            yield f"      {count:,} of {table} rejected: {reason}, written to rejected/{table}/"


def _format_unused(by_table: dict[str, int]) -> Iterator[str]:
    """A line for each table with unused records."""
    for table, count in by_table.items():
        kind = table.partition(".")[0]
        reason = f"their ids are not in {kind}"
        if kind == "interactions":
            reason = "kinds in labels.events.ignore, or impressions without a click"
        yield f"      {count:,} of {table} unused: {reason}"


def _format_kinds(kinds: dict[str, int]) -> Iterator[str]:
    """A line for events of kinds that the configuration does not name, if there are any."""
    if kinds:
        most = sorted(kinds.items(), key=lambda each: -each[1])[:_MAX_KINDS]
        listed = ", ".join(f"{kind or 'no kind'} {count:,}" for kind, count in most)
        more = f" and {len(kinds) - len(most)} more kinds" if len(kinds) > len(most) else ""
        yield (
            f"      {sum(kinds.values()):,} events of kinds that labels.events does not name are "
            f"history only: {listed}{more}"
        )


def _format_unreadable(by_table: dict[str, dict[str, UnreadableField]]) -> Iterator[str]:
    """A line for each field with values that count as absent."""
    for table, fields in by_table.items():
        for key, field in fields.items():
            yield (
                f"      {field.values:,} of {table} without {key}, which could not be read: "
                f"{field.example}"
            )


def _format_assumed_utc(by_table: dict[str, dict[str, int]]) -> Iterator[str]:
    """A line for each field with times that state no zone."""
    for table, fields in by_table.items():
        for key, count in fields.items():
            section = key.removesuffix(".timestamp")
            yield (
                f"      {count:,} times of {table} ({key}) have no time zone and are read as UTC; "
                f"{section}.timezone names another zone"
            )


def _format_order(ranking: RankingSummary) -> str:
    training = ranking.training
    low, high = training["valid_difference_low"], training["valid_difference_high"]
    return (
        f"final lists are in {ranking.order}'s order: NDCG@10 on held-out valid events is "
        f"{training['valid_ranking_ndcg@10']:.4f} after ranking, "
        f"{training['valid_retrieval_ndcg@10']:.4f} before; the difference is "
        f"{training['valid_difference']:+.4f} (95 % interval {low:+.4f} to {high:+.4f})"
    )


def _format_index(index: IndexSummary) -> str:
    return (
        f"index: {index.kind}, {index.items:,} items, ANN recall@100 {index.ann_recall:.3f}, "
        f"p50 {index.p50_ms:.2f} ms (exact {index.exact_p50_ms:.2f} ms)"
    ) + _format_ineligible(index)


def _format_ineligible(index: IndexSummary) -> str:
    """Items that the catalogue or the deny list keeps from lists."""
    text = f"; {index.unavailable:,} items are not available" if index.unavailable else ""
    text += f"; {index.denied:,} ids are denied" if index.denied else ""
    unknown = index.denied_unknown
    return text + (f", of which the catalogue lacks {unknown:,}" if unknown else "")
