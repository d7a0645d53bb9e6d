"""Decides whether the metrics are good enough to push, rule by rule (see `rule_rows`)."""

from collections.abc import Iterator
from typing import Any

from trainer.config.blessing import BlessingConfig, ThresholdRule
from trainer.evaluation.baseline_rules import check_baselines, compare_lists
from trainer.evaluation.fairness import check_limits
from trainer.evaluation.rule_rows import (
    RuleRow,
    build_row,
    describe_failure,
    get_list_metrics,
    name_lists,
)
from trainer.evaluation.slice_rules import check_slices
from trainer.evaluation.stage_quality import PUSHED


def decide_blessing(
    measured: dict[str, Any], config: BlessingConfig, compared: RuleRow | None
) -> RuleRow:
    """`blessed`, the `rules` in the order of the configuration, `warnings` (slices of users in
    which lists are worse than a baseline, where this is no rule), `pushed_before` and `forced`.

    Args:
        measured: result of `trainer.evaluation.evaluate`.
        config: the rules.
        compared: the version that is pushed now: `version`, `path` and optionally a `note`; its
            metrics are in `measured`, unless `failure` has the reason why it could not be
            evaluated. None if nothing is pushed yet: then the models are compared with the
            baselines only.
    """
    rules = list(_check_rules(measured, config, compared))
    return {
        "blessed": all(rule["passed"] for rule in rules),
        "rules": rules,
        "warnings": _list_warnings(measured, config),
        "pushed_before": None if compared is None else compared | measured.get(PUSHED, {}),
        "forced": None,
    }


def list_failures(decided: RuleRow) -> list[str]:
    """A sentence for each failed rule of a verdict, with expected and received value."""
    return [rule["failure"] for rule in decided["rules"] if not rule["passed"]]


def _list_warnings(measured: dict[str, Any], config: BlessingConfig) -> list[RuleRow]:
    rules = [rule for rule in config.baselines if not rule.slices]
    return [row for rule in rules for row in check_slices(rule, measured) if not row["passed"]]


def _check_rules(
    measured: dict[str, Any], config: BlessingConfig, compared: RuleRow | None
) -> Iterator[RuleRow]:
    for threshold in config.thresholds:
        yield from _check_threshold(threshold, measured)
    for rule in config.baselines:
        yield from check_baselines(rule, measured)
        if rule.slices:
            yield from check_slices(rule, measured)
    if compared is not None:
        for metric in config.pushed:
            yield _check_pushed(metric, measured, compared)
    for limit in check_limits(measured.get("fairness", {})):
        yield _check_limit(limit)
    if config.bias_baseline:
        for name, label in measured["ranking"]["labels"].items():
            yield _check_bias_baseline(name, label)


def _check_threshold(rule: ThresholdRule, measured: dict[str, Any]) -> Iterator[RuleRow]:
    metrics = _get_metrics(rule.target, measured)
    received = metrics.get(rule.metric)
    name = name_lists(rule.target)
    for words, bound, sign in (("at least", rule.at_least, 1), ("at most", rule.at_most, -1)):
        if bound is not None:
            row = build_row(f"{name}: {rule.metric} {words} {bound:g}", rule.metric, name, None)
            passed = received is not None and sign * (received - bound) >= 0
            note = {} if received is not None else {"note": _explain_unmeasured(metrics)}
            row |= {"expected": bound, "received": received, "passed": passed}
            yield describe_failure(row | note)


def _get_metrics(of: str, measured: dict[str, Any]) -> RuleRow:
    """Metrics of `retrieval`, of the `final` lists or of a label."""
    labels = measured["ranking"]["labels"]
    return labels[of] if of in labels else get_list_metrics(of, measured)


def _explain_unmeasured(row: RuleRow) -> str:
    return f"not measured: {row.get('note', 'there was nothing to measure it on')}"


def _check_pushed(metric: str, measured: dict[str, Any], compared: RuleRow) -> RuleRow:
    version = compared["version"]
    sentence = f"final lists: {metric} not worse than that of pushed version {version}"
    row = build_row(sentence, metric, "final lists", PUSHED)
    if "failure" in compared:
        note = (
            f"version {version} could not be evaluated: {compared['failure']}; to replace it "
            'without a comparison, run again with --force-push "why"'
        )
        unmeasured = {"expected": None, "received": None, "passed": False, "note": note}
        return describe_failure(row | unmeasured)
    ours = measured["ranking"]
    difference = ours["against"][PUSHED][metric]
    row |= compare_lists(ours[metric], difference, 0.0, significant=False)
    notes = [each["note"] for each in (row, compared) if "note" in each]
    statement = f"final lists: worse than pushed version {version} in {metric}"
    return describe_failure(row | ({"note": "; ".join(notes)} if notes else {}), statement)


def _check_limit(checked: RuleRow) -> RuleRow:
    """The rule for `checked`, a row of `check_limits`."""
    of, metric, limit = checked["of"], checked["metric"], checked["limit"]
    row = build_row(f"{of}: gap of {metric} at most {limit:g}", metric, of, "limit")
    rest = {key: checked[key] for key in ("passed", "note") if key in checked}
    return describe_failure(row | {"expected": limit, "received": checked.get("received")} | rest)


def _check_bias_baseline(name: str, label: RuleRow) -> RuleRow:
    row = build_row(f"{name}: RMSE not above the bias baseline's", "rmse", name, "bias baseline")
    if "rmse" not in label:
        unmeasured = {"expected": None, "received": None, "passed": False}
        return describe_failure(row | unmeasured | {"note": _explain_unmeasured(label)})
    expected, received = label["bias_baseline_rmse"], label["rmse"]
    row |= {"expected": expected, "received": received, "passed": received <= expected}
    return describe_failure(row)
