"""First of all: does it go out, and if not, what failed by how much."""

from typing import Any
from xml.etree.ElementTree import Element, SubElement

from pipeline.report.html import elements, wording
from pipeline.report.html.elements import Cell, Row

Summary = dict[str, Any]
_HEADLINE = "ndcg@10"


def add(body: Element, summary: Summary) -> None:
    """Header, key figures and, where the run has a verdict, the rules it was held against."""
    header = SubElement(body, "header")
    seed = summary["seed"]
    elements.text(header, "p", f"Tandem run report · {summary['name']} · seed {seed}", "eyebrow")
    title, kind = headline(summary)
    elements.text(header, "h1", title, kind)
    rules = (summary.get("verdict") or {}).get("rules")
    if rules is not None:
        _kept(header, rules)
    _forced(header, (summary.get("verdict") or {}).get("forced"))
    _tiles(header, summary)
    if summary.get("verdict"):
        _rules(header, summary["verdict"])
    _pushed(header, summary)


def headline(summary: Summary) -> tuple[str, str]:
    """What became of the models, and `good` or `bad`."""
    verdict = summary.get("verdict")
    if verdict is None:
        return ("Pushed", "good") if pushed(summary) else ("Nothing was pushed", "bad")
    if verdict["blessed"]:
        return "Blessed", "good"
    if verdict.get("forced"):
        return "Not blessed, pushed by force", "bad"
    return "Not blessed: nothing was pushed", "bad"


def misses(rules: list[dict[str, Any]]) -> list[str]:
    """Each rule that failed, and by how much."""
    return [_miss(rule) for rule in rules if not rule["passed"]]


def pushed(summary: Summary) -> dict[str, dict[str, Any]]:
    """The servables that the run pushed, by name."""
    return summary.get("pushed") or summary.get("servables") or {}


def _kept(header: Element, rules: list[dict[str, Any]]) -> None:
    failed = misses(rules)
    kept = len(rules) - len(failed)
    said = f"{kept} of {len(rules)} {'rule' if len(rules) == 1 else 'rules'} kept"
    elements.text(header, "p", f"{said}; these failed:" if failed else f"{said}.", "lead")
    listed = SubElement(header, "ul", {"class": "misses"}) if failed else header
    for miss in failed:
        elements.text(listed, "li", miss)


def _forced(header: Element, forced: dict[str, str] | None) -> None:
    if forced:
        said = f"{forced['who']} pushed it in spite of the verdict on {forced['at']}: "
        elements.text(header, "p", said + forced["why"], "notice bad")


def _tiles(header: Element, summary: Summary) -> None:
    tiles = SubElement(header, "dl", {"class": "tiles"})
    ranking, rows, index = summary["ranking"], summary["rows"], summary["index"]
    bounds = wording.interval(ranking.get("intervals", {}).get(_HEADLINE))
    _tile(
        tiles, "NDCG@10 of the final lists", wording.number(ranking[_HEADLINE]),
        f"95 % interval {bounds}" if bounds else "",
    )  # fmt: skip
    best, value = best_baseline(summary)
    difference = ranking.get("against", {}).get(best, {}).get(_HEADLINE)
    _tile(
        tiles, f"Beside {wording.name(best)}",
        wording.signed(ranking[_HEADLINE] - value),
        f"{difference['verdict']} ({wording.interval(difference)})" if difference else "",
    )  # fmt: skip
    _tile(
        tiles, "ANN recall@100 of the index", wording.number(index["ann_recall@100"]),
        f"{index['kind']}, p50 {index['p50_ms']:.2f} ms",
    )  # fmt: skip
    _tile(
        tiles, "Events accepted", f"{rows['accepted']:,}",
        f"of {rows['users']:,} users on {rows['items']:,} items",
    )  # fmt: skip


def best_baseline(summary: Summary) -> tuple[str, float]:
    """The strongest by NDCG@10, with its value."""
    baselines = summary["retrieval"]["baselines"]
    best = max(baselines, key=lambda name: baselines[name][_HEADLINE])
    return best, baselines[best][_HEADLINE]


def _tile(tiles: Element, name: str, value: str, below: str) -> None:
    tile = SubElement(tiles, "div", {"class": "tile"})
    elements.text(tile, "dt", name)
    elements.text(elements.text(tile, "dd", value), "small", below)


def _rules(header: Element, verdict: dict[str, Any]) -> None:
    elements.text(header, "h3", "The rules, failed ones first")
    rules = sorted(verdict["rules"], key=lambda rule: bool(rule["passed"]))
    elements.table(
        header,
        ["", "rule", "expected", "received", "difference"],
        [Row(_rule_cells(rule), not rule["passed"]) for rule in rules],
        texts=2,
    )


def _rule_cells(rule: dict[str, Any]) -> list[Cell | str]:
    mark = Cell("kept", kind="good") if rule["passed"] else Cell("failed", kind="bad")
    expected, received = rule.get("expected"), rule.get("received")
    difference = "–"
    if expected is not None and received is not None:
        difference = wording.signed(received - expected)
    return [
        mark, Cell(rule["rule"], rule.get("note") or ""), wording.number(expected),
        wording.number(received), Cell(difference, wording.interval(rule)),
    ]  # fmt: skip


def _miss(rule: dict[str, Any]) -> str:
    expected, received = rule.get("expected"), rule.get("received")
    if expected is None or received is None:
        return f"{rule['rule']} ({rule.get('note') or 'not measured'})"
    return (
        f"{rule['rule']}: expected {wording.number(expected)}, received "
        f"{wording.number(received)} ({wording.signed(received - expected)})"
    )


def _pushed(header: Element, summary: Summary) -> None:
    found = pushed(summary)
    before = (summary.get("verdict") or {}).get("pushed_before")
    if found:
        elements.text(header, "h3", "Pushed")
        rows = [Row([name, str(each["version"]), each["path"]]) for name, each in found.items()]
        elements.table(header, ["model", "version", "path"], rows, texts=3)
    if before:
        said = f"Compared with version {before['version']}, which was pushed before, asked again."
        elements.text(header, "p", said, "lead")
