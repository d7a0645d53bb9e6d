"""Rows of the verdict: a rule with its expected and received value.

A row has `rule` (a sentence), `metric`, `of`, `against` (None for a threshold), `expected` and
`received` (numbers; None where there is nothing to compare), `low` and `high` (95 % interval of
the difference, where lists are compared), `passed`, and optionally a `note`. A failed rule has
`failure`, a sentence with the values; one about a slice has the slice's `users` and a `p_value`.
"""

from collections.abc import Mapping
from typing import Any

from trainer.config.blessing import ALL, FINAL, BaselineRule

RuleRow = dict[str, Any]
_DISPLAY_NAMES = {FINAL: "final lists"}
_SUMMARY_KEYS = {FINAL: "ranking"}


def name_lists(of: str) -> str:
    """`final lists` for `final`; other names are unchanged."""
    return _DISPLAY_NAMES.get(of, of)


def get_list_metrics(of: str, measured: Mapping[str, Any]) -> RuleRow:
    """The part of `measured`, a result of `evaluate`, with metrics of `retrieval` or `final`."""
    return measured[_SUMMARY_KEYS.get(of, of)]


def list_baselines(rule: BaselineRule, measured: Mapping[str, Any]) -> list[str]:
    """Names of the lists that a rule compares with: all baselines of the run, or the rule's own."""
    return list(measured["retrieval"]["baselines"]) if rule.baseline == ALL else [rule.baseline]


def build_row(rule: str, metric: str, of: str, against: str | None) -> RuleRow:
    """The beginning of a row."""
    return {"rule": rule, "metric": metric, "of": of, "against": against}


def format_margin(rule: BaselineRule) -> str:
    """` by -0.01`; empty without a margin."""
    return f" by {rule.margin:+g}" if rule.margin else ""


def state_loss(rule: BaselineRule, of: str, comparison: str) -> str:
    """`final lists: worse than popular in ndcg@10`, with the margin if there is one."""
    margin = f" with margin {rule.margin:+g}" if rule.margin else ""
    return f"{of}: {comparison} in {rule.metric}{margin}"


def describe_failure(row: RuleRow, statement: str = "") -> RuleRow:
    """`row`, with `failure` if it failed: the `statement`, by default its rule, and the values."""
    if row["passed"]:
        return row
    return row | {"failure": (statement or row["rule"]) + _format_values(row)}


def _format_values(row: RuleRow) -> str:
    note = f" ({row['note']})" if "note" in row else ""
    if row["received"] is None:
        return note
    text = f": expected {row['expected']:.4f}, received {row['received']:.4f}"
    if "low" in row:
        text += f", 95 % interval of the difference {row['low']:+.4f} to {row['high']:+.4f}"
    if "p_value" in row:
        text += f", {row['users']:,} users, adjusted p {row['p_value']:.4f}"
    return text + note
