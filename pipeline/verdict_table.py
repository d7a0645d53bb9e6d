"""The gate's verdict at a run's end, and what failed by how much."""

from typing import Any

from rich.table import Table

Row = dict[str, Any]


def sentence(verdict: Row) -> str:
    """Whether the models are blessed, and who pushed them all the same."""
    rules = verdict["rules"]
    failed = sum(not rule["passed"] for rule in rules)
    if not failed:
        return f"blessed: {_counted(len(rules))} held"
    said = f"not blessed: {failed} of {_counted(len(rules))} broken"
    forced = verdict["forced"]
    return f"{said}; pushed by {forced['who']} all the same: {forced['why']}" if forced else said


def table(verdict: Row) -> Table | None:
    """The broken rules; None where there is none."""
    broken = [rule for rule in verdict["rules"] if not rule["passed"]]
    if not broken:
        return None
    table = Table(title="broken rules", title_justify="left")
    table.add_column("rule")
    for name in ("expected", "received", "difference", "95 % interval"):
        table.add_column(name, justify="right")
    for rule in broken:
        table.add_row(rule["rule"], *_numbers(rule))
    return table


def notes(verdict: Row) -> list[str]:
    """What has to be said of rules, broken or not, each once: that they could not be measured, for
    example.
    """
    said: dict[str, list[str]] = {}
    for rule in verdict["rules"]:
        if "note" in rule:
            said.setdefault(rule["note"], []).append(rule["rule"])
    return [f"{'; '.join(rules)}: {note}" for note, rules in said.items()]


def _numbers(rule: Row) -> list[str]:
    expected, received = rule["expected"], rule["received"]
    if expected is None or received is None:
        return [_number(expected), _number(received), "", ""]
    low, high = rule.get("low"), rule.get("high")
    interval = "" if low is None or high is None else f"{low:+.4f} to {high:+.4f}"
    return [_number(expected), _number(received), f"{received - expected:+.4f}", interval]


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"


def _counted(rules: int) -> str:
    return "1 rule" if rules == 1 else f"{rules} rules"
