"""Rules that compare lists with those of baselines, or of the pushed version, over all users."""

from collections.abc import Iterator, Mapping
from typing import Any

from trainer.config.blessing import BaselineRule
from trainer.evaluation.rule_rows import (
    RuleRow,
    build_row,
    describe_failure,
    format_margin,
    get_list_metrics,
    list_baselines,
    name_lists,
    state_loss,
)
from trainer.metrics import confidence

_TOO_FEW_USERS = (
    f"with fewer than {confidence.MIN_USERS} test users intervals are not reliable: "
    "the means decide"
)


def check_baselines(rule: BaselineRule, measured: Mapping[str, Any]) -> Iterator[RuleRow]:
    """A row for each baseline of the rule, over all users."""
    for baseline in list_baselines(rule, measured):
        yield _check_baseline(rule, baseline, measured)


def _check_baseline(rule: BaselineRule, baseline: str, measured: Mapping[str, Any]) -> RuleRow:
    name, ours = name_lists(rule.lists), get_list_metrics(rule.lists, measured)
    expected, failure = (
        ("better than", "not significantly better than")
        if rule.significant
        else ("not worse than", "worse than")
    )
    sentence = f"{name}: {rule.metric} {expected} {baseline}{format_margin(rule)}"
    row = build_row(sentence, rule.metric, name, baseline)
    difference = ours["against"][baseline][rule.metric]
    compared = compare_lists(ours[rule.metric], difference, rule.margin, rule.significant)
    statement = state_loss(rule, name, f"{failure} {baseline}")
    return describe_failure(row | compared, statement)


def compare_lists(ours: float, difference: RuleRow, margin: float, significant: bool) -> RuleRow:
    """The values of a row for a metric with the value `ours`.

    Args:
        ours: the metric of our lists.
        difference: `confidence.Difference`, ours minus theirs, as a dict.
        margin: smallest allowed difference.
        significant: whether the whole interval, and not only a part, must be above the margin.
    """
    few = difference["users"] < confidence.MIN_USERS
    sure = difference["value"] if few else difference["low"]
    likely = difference["value"] if few else difference["high"]
    passed = sure > margin if significant else likely >= margin
    return {
        "expected": ours - difference["value"] + margin,
        "received": ours,
        "low": difference["low"],
        "high": difference["high"],
        "passed": bool(passed),
    } | ({"note": _TOO_FEW_USERS} if few else {})
