"""Rules about slices of users: lists must not be worse than the best baseline of the slice."""

from collections.abc import Mapping
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
from trainer.evaluation.slices import HISTORY
from trainer.metrics.paired_test import adjust_by_holm, compute_p_value

MAX_P_VALUE = 0.025
"""One-sided, as one end of a 95 % interval."""


def check_slices(rule: BaselineRule, measured: Mapping[str, Any]) -> list[RuleRow]:
    """A row for each slice of users that has enough users: compared with the best of the rule's
    baselines there, by mean.

    The p-value is multiplied by the number of baselines, since the best was chosen on the same
    users, and adjusted by Holm's method for the number of slices.
    """
    baselines = list_baselines(rule, measured)
    ours = get_list_metrics(rule.lists, measured)
    rows = [
        _compare_slice(rule, (dimension, name), slice_row, ours, baselines)
        for dimension, slices in ours["slice_differences"].items()
        for name, slice_row in slices.items()
        if baselines and "against" in slice_row
    ]
    adjusted = adjust_by_holm([min(1.0, len(baselines) * row["p_value"]) for row in rows])
    return [_judge(row, rule, p_value) for row, p_value in zip(rows, adjusted, strict=True)]


def _compare_slice(
    rule: BaselineRule, key: tuple[str, str], row: RuleRow, ours: RuleRow, baselines: list[str]
) -> RuleRow:
    """A row with the p-value of this slice alone."""
    dimension, name = key
    against = {baseline: row["against"][baseline][rule.metric] for baseline in baselines}
    best = min(against, key=lambda baseline: against[baseline]["value"])
    difference = against[best]
    received = ours["slices"][dimension][name][rule.metric]["value"]
    of = f"{name_lists(rule.lists)} for {name if dimension == HISTORY else f'{dimension} {name}'}"
    rule_text = f"{of}: {rule.metric} not worse than {best}{format_margin(rule)}"
    return build_row(rule_text, rule.metric, of, best) | {
        "expected": received - difference["value"] + rule.margin,
        "received": received,
        "low": difference["low"],
        "high": difference["high"],
        "users": row["users"],
        "p_value": compute_p_value(
            difference["value"] - rule.margin, difference["standard_error"], row["users"]
        ),
    }


def _judge(row: RuleRow, rule: BaselineRule, p_value: float) -> RuleRow:
    judged = row | {"p_value": p_value, "passed": p_value >= MAX_P_VALUE}
    return describe_failure(judged, state_loss(rule, row["of"], f"worse than {row['against']}"))
