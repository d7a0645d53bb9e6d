"""The head of the report: whether the models were pushed, and if not, which rules failed."""

from xml.etree.ElementTree import Element, SubElement

from pipeline.report.html import elements, wording
from pipeline.report.html.elements import Cell, TableRow
from schema.evaluation_summary import PushOverride, RuleResult, VerdictSummary
from schema.run_summary import RunSummary

_HEADLINE = "ndcg@10"


def add_verdict(body: Element, summary: RunSummary) -> None:
    """Adds the headline, key figures, the blessing rules and the pushed servables."""
    header = SubElement(body, "header")
    run = f"Tandem run report · {summary.name} · seed {summary.seed}"
    elements.add_text(header, "p", run, "eyebrow")
    title, kind = choose_headline(summary.verdict)
    elements.add_text(header, "h1", title, kind)
    _add_rule_count(header, summary.verdict)
    _add_warnings(header, summary.verdict.warnings)
    _add_override(header, summary.verdict.forced)
    _add_tiles(header, summary)
    _add_rules(header, summary.verdict.rules)
    _add_pushed(header, summary)


def choose_headline(verdict: VerdictSummary) -> tuple[str, str]:
    """What happened to the models, and `good` or `bad`."""
    if verdict.blessed:
        return "Blessed", "good"
    if verdict.forced:
        return "Not blessed, pushed by force", "bad"
    return "Not blessed: nothing was pushed", "bad"


def _add_rule_count(header: Element, verdict: VerdictSummary) -> None:
    count, failed = len(verdict.rules), verdict.failed
    text = f"{count - len(failed)} of {count} {'rule' if count == 1 else 'rules'} passed"
    elements.add_text(header, "p", f"{text}; these failed:" if failed else f"{text}.", "lead")
    if failed:
        misses = SubElement(header, "ul", {"class": "misses"})
        for rule in failed:
            elements.add_text(misses, "li", rule.failure or rule.rule)


def _add_warnings(header: Element, warnings: list[RuleResult]) -> None:
    if not warnings:
        return
    text = "Warnings, without effect on the verdict: a baseline is better for some users."
    elements.add_text(header, "p", text, "notice")
    slices = SubElement(header, "ul", {"class": "misses"})
    for warning in warnings:
        elements.add_text(slices, "li", warning.failure or warning.rule)


def _add_override(header: Element, override: PushOverride | None) -> None:
    if override:
        text = f"{override.who} pushed it in spite of the verdict on {override.at}: {override.why}"
        elements.add_text(header, "p", text, "notice bad")


def _add_tiles(header: Element, summary: RunSummary) -> None:
    tiles = SubElement(header, "dl", {"class": "tiles"})
    ranking, rows, index = summary.ranking, summary.rows, summary.index
    value = ranking.metrics[_HEADLINE]
    bounds = wording.format_interval(ranking.intervals.get(_HEADLINE))
    _add_tile(
        tiles, "NDCG@10 of the final lists", wording.format_number(value),
        f"95 % interval {bounds}" if bounds else "",
    )  # fmt: skip
    best = summary.retrieval.best_baseline
    baseline = summary.retrieval.baselines[best].metrics[_HEADLINE]
    difference = ranking.against.get(best, {}).get(_HEADLINE)
    _add_tile(
        tiles,
        f"Compared with {wording.format_name(best)}",
        wording.format_signed(value - baseline),
        f"{difference.verdict} ({wording.format_interval(difference)})" if difference else "",
    )  # fmt: skip
    _add_tile(
        tiles, "ANN recall@100 of the index", wording.format_number(index.ann_recall),
        f"{index.kind}, p50 {index.p50_ms:.2f} ms",
    )  # fmt: skip
    _add_tile(
        tiles, "Events accepted", f"{rows.accepted:,}",
        f"of {rows.users:,} users on {rows.items:,} items",
    )  # fmt: skip


def _add_tile(tiles: Element, name: str, value: str, below: str) -> None:
    tile = SubElement(tiles, "div", {"class": "tile"})
    elements.add_text(tile, "dt", name)
    elements.add_text(elements.add_text(tile, "dd", value), "small", below)


def _add_rules(header: Element, rules: list[RuleResult]) -> None:
    elements.add_text(header, "h3", "The rules, failed ones first")
    elements.add_table(
        header,
        ["", "rule", "expected", "received", "difference"],
        [
            TableRow(_make_rule_cells(rule), not rule.passed)
            for rule in sorted(rules, key=lambda rule: rule.passed)
        ],
        texts=2,
    )


def _make_rule_cells(rule: RuleResult) -> list[Cell | str]:
    mark = Cell("passed", kind="good") if rule.passed else Cell("failed", kind="bad")
    difference = "–"
    if rule.expected is not None and rule.received is not None:
        difference = wording.format_signed(rule.received - rule.expected)
    return [
        mark, Cell(rule.rule, rule.note or ""), wording.format_number(rule.expected),
        wording.format_number(rule.received), Cell(difference, wording.format_interval(rule)),
    ]  # fmt: skip


def _add_pushed(header: Element, summary: RunSummary) -> None:
    if summary.servables:
        elements.add_text(header, "h3", "Pushed")
        rows = [
            TableRow([name, str(servable.version), servable.path])
            for name, servable in summary.servables.items()
        ]
        elements.add_table(header, ["model", "version", "path"], rows, texts=3)
    before = summary.verdict.pushed_before
    if before:
        text = f"Compared with version {before.version}, which was pushed before, on this test."
        elements.add_text(header, "p", text, "lead")
