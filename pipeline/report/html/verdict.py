"""First of all: does it go out, and if not, what failed by how much."""

from typing import Any
from xml.etree.ElementTree import Element, SubElement

from pipeline.report.html import elements, wording
from pipeline.report.html.elements import Cell, TableRow

Summary = dict[str, Any]
_HEADLINE = "ndcg@10"


def add_verdict(body: Element, summary: Summary) -> None:
    """Header, key figures and, where the run has a verdict, the rules it was held against."""
    header = SubElement(body, "header")
    seed = summary["seed"]
    elements.add_text(
        header, "p", f"Tandem run report · {summary['name']} · seed {seed}", "eyebrow"
    )
    title, kind = choose_headline(summary)
    elements.add_text(header, "h1", title, kind)
    rules = (summary.get("verdict") or {}).get("rules")
    if rules is not None:
        _add_rule_count(header, rules)
    _add_forced_push(header, (summary.get("verdict") or {}).get("forced"))
    _add_tiles(header, summary)
    if summary.get("verdict"):
        _add_rules(header, summary["verdict"])
    _add_pushed(header, summary)


def choose_headline(summary: Summary) -> tuple[str, str]:
    """What became of the models, and `good` or `bad`."""
    verdict = summary.get("verdict")
    if verdict is None:
        return ("Pushed", "good") if get_pushed(summary) else ("Nothing was pushed", "bad")
    if verdict["blessed"]:
        return "Blessed", "good"
    if verdict.get("forced"):
        return "Not blessed, pushed by force", "bad"
    return "Not blessed: nothing was pushed", "bad"


def describe_failed_rules(rules: list[dict[str, Any]]) -> list[str]:
    """Each rule that failed, and by how much."""
    return [_describe_failed_rule(rule) for rule in rules if not rule["passed"]]


def get_pushed(summary: Summary) -> dict[str, dict[str, Any]]:
    """The servables that the run pushed, by name."""
    return summary.get("pushed") or summary.get("servables") or {}


def _add_rule_count(header: Element, rules: list[dict[str, Any]]) -> None:
    failed = describe_failed_rules(rules)
    kept = len(rules) - len(failed)
    said = f"{kept} of {len(rules)} {'rule' if len(rules) == 1 else 'rules'} kept"
    elements.add_text(header, "p", f"{said}; these failed:" if failed else f"{said}.", "lead")
    listed = SubElement(header, "ul", {"class": "misses"}) if failed else header
    for miss in failed:
        elements.add_text(listed, "li", miss)


def _add_forced_push(header: Element, forced: dict[str, str] | None) -> None:
    if forced:
        said = f"{forced['who']} pushed it in spite of the verdict on {forced['at']}: "
        elements.add_text(header, "p", said + forced["why"], "notice bad")


def _add_tiles(header: Element, summary: Summary) -> None:
    tiles = SubElement(header, "dl", {"class": "tiles"})
    ranking, rows, index = summary["ranking"], summary["rows"], summary["index"]
    bounds = wording.format_interval(ranking.get("intervals", {}).get(_HEADLINE))
    _add_tile(
        tiles, "NDCG@10 of the final lists", wording.format_number(ranking[_HEADLINE]),
        f"95 % interval {bounds}" if bounds else "",
    )  # fmt: skip
    best, value = find_best_baseline(summary)
    difference = ranking.get("against", {}).get(best, {}).get(_HEADLINE)
    _add_tile(
        tiles, f"Beside {wording.format_name(best)}",
        wording.format_signed(ranking[_HEADLINE] - value),
        f"{difference['verdict']} ({wording.format_interval(difference)})" if difference else "",
    )  # fmt: skip
    _add_tile(
        tiles, "ANN recall@100 of the index", wording.format_number(index["ann_recall@100"]),
        f"{index['kind']}, p50 {index['p50_ms']:.2f} ms",
    )  # fmt: skip
    _add_tile(
        tiles, "Events accepted", f"{rows['accepted']:,}",
        f"of {rows['users']:,} users on {rows['items']:,} items",
    )  # fmt: skip


def find_best_baseline(summary: Summary) -> tuple[str, float]:
    """The strongest by NDCG@10, with its value."""
    baselines = summary["retrieval"]["baselines"]
    best = max(baselines, key=lambda name: baselines[name][_HEADLINE])
    return best, baselines[best][_HEADLINE]


def _add_tile(tiles: Element, name: str, value: str, below: str) -> None:
    tile = SubElement(tiles, "div", {"class": "tile"})
    elements.add_text(tile, "dt", name)
    elements.add_text(elements.add_text(tile, "dd", value), "small", below)


def _add_rules(header: Element, verdict: dict[str, Any]) -> None:
    elements.add_text(header, "h3", "The rules, failed ones first")
    rules = sorted(verdict["rules"], key=lambda rule: bool(rule["passed"]))
    elements.add_table(
        header,
        ["", "rule", "expected", "received", "difference"],
        [TableRow(_make_rule_cells(rule), not rule["passed"]) for rule in rules],
        texts=2,
    )


def _make_rule_cells(rule: dict[str, Any]) -> list[Cell | str]:
    mark = Cell("kept", kind="good") if rule["passed"] else Cell("failed", kind="bad")
    expected, received = rule.get("expected"), rule.get("received")
    difference = "–"
    if expected is not None and received is not None:
        difference = wording.format_signed(received - expected)
    return [
        mark, Cell(rule["rule"], rule.get("note") or ""), wording.format_number(expected),
        wording.format_number(received), Cell(difference, wording.format_interval(rule)),
    ]  # fmt: skip


def _describe_failed_rule(rule: dict[str, Any]) -> str:
    expected, received = rule.get("expected"), rule.get("received")
    if expected is None or received is None:
        return f"{rule['rule']} ({rule.get('note') or 'not measured'})"
    return (
        f"{rule['rule']}: expected {wording.format_number(expected)}, received "
        f"{wording.format_number(received)} ({wording.format_signed(received - expected)})"
    )


def _add_pushed(header: Element, summary: Summary) -> None:
    found = get_pushed(summary)
    before = (summary.get("verdict") or {}).get("pushed_before")
    if found:
        elements.add_text(header, "h3", "Pushed")
        rows = [
            TableRow([name, str(each["version"]), each["path"]]) for name, each in found.items()
        ]
        elements.add_table(header, ["model", "version", "path"], rows, texts=3)
    if before:
        said = f"Compared with version {before['version']}, which was pushed before, asked again."
        elements.add_text(header, "p", said, "lead")
