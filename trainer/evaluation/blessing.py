"""Decides whether the metrics are good enough to push: each rule with expected and received value.

A row of the verdict: `rule` (a sentence), `metric`, `of`, `against` (None for a threshold),
`expected` and `received` (numbers; None where there is nothing to compare), `low` and `high` (95 %
interval of the difference, where lists are compared), `passed`, and optionally a `note`.
"""

from collections.abc import Iterator
from typing import Any

from trainer.config.blessing import FINAL, BaselineRule, BlessingConfig, ThresholdRule
from trainer.evaluation.fairness import check_limits
from trainer.metrics import confidence

RuleRow = dict[str, Any]
_DISPLAY_NAMES = {FINAL: "final lists"}
_SUMMARY_KEYS = {FINAL: "ranking"}
PUSHED = "pushed"
_TOO_FEW_USERS = (
    f"with fewer than {confidence.MIN_USERS} test users intervals are not reliable: "
    "the means decide"
)


def decide_blessing(
    measured: dict[str, Any], config: BlessingConfig, compared: RuleRow | None
) -> RuleRow:
    """`blessed`, the `rules` in the order of the configuration, `pushed_before` and `forced`.

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
        "pushed_before": None if compared is None else compared | measured.get(PUSHED, {}),
        "forced": None,
    }


def list_failures(decided: RuleRow) -> list[str]:
    """A sentence for each failed rule of a verdict, with expected and received value."""
    return [_format_failure(rule) for rule in decided["rules"] if not rule["passed"]]


def _format_failure(rule: RuleRow) -> str:
    note = f" ({rule['note']})" if "note" in rule else ""
    if rule["received"] is None:
        return f"{rule['rule']}{note}"
    interval = ""
    if "low" in rule:
        interval = f", 95 % interval of the difference {rule['low']:+.4f} to {rule['high']:+.4f}"
    return (
        f"{rule['rule']}: expected {rule['expected']:.4f}, received {rule['received']:.4f}"
        f"{interval}{note}"
    )


def _check_rules(
    measured: dict[str, Any], config: BlessingConfig, compared: RuleRow | None
) -> Iterator[RuleRow]:
    for threshold in config.thresholds:
        yield from _check_threshold(threshold, measured)
    for rule in config.baselines:
        yield _check_baseline(rule, measured)
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
    name = _DISPLAY_NAMES.get(rule.target, rule.target)
    for words, bound, sign in (("at least", rule.at_least, 1), ("at most", rule.at_most, -1)):
        if bound is not None:
            row = _build_row(f"{name}: {rule.metric} {words} {bound:g}", rule.metric, name, None)
            passed = received is not None and sign * (received - bound) >= 0
            note = {} if received is not None else {"note": _explain_unmeasured(metrics)}
            yield row | {"expected": bound, "received": received, "passed": passed} | note


def _get_metrics(of: str, measured: dict[str, Any]) -> RuleRow:
    """Metrics of `retrieval`, of the `final` lists or of a label."""
    labels = measured["ranking"]["labels"]
    return labels[of] if of in labels else measured[_SUMMARY_KEYS.get(of, of)]


def _explain_unmeasured(row: RuleRow) -> str:
    return f"not measured: {row.get('note', 'there was nothing to measure it on')}"


def _check_baseline(rule: BaselineRule, measured: dict[str, Any]) -> RuleRow:
    name = _DISPLAY_NAMES.get(rule.lists, rule.lists)
    words = "better than" if rule.significant else "not worse than"
    by = f" by {rule.margin:+g}" if rule.margin else ""
    row = _build_row(
        f"{name}: {rule.metric} {words} {rule.baseline}{by}", rule.metric, name, rule.baseline
    )
    ours = measured[_SUMMARY_KEYS.get(rule.lists, rule.lists)]
    difference = ours["against"][rule.baseline][rule.metric]
    return row | _compare_lists(ours[rule.metric], difference, rule.margin, rule.significant)


def _compare_lists(ours: float, difference: RuleRow, margin: float, significant: bool) -> RuleRow:
    """`difference` is a `confidence.Difference`, ours minus theirs, as a dict."""
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


def _check_pushed(metric: str, measured: dict[str, Any], compared: RuleRow) -> RuleRow:
    version = compared["version"]
    sentence = f"final lists: {metric} not worse than that of pushed version {version}"
    row = _build_row(sentence, metric, "final lists", PUSHED)
    if "failure" in compared:
        note = (
            f"version {version} could not be evaluated: {compared['failure']}; to replace it "
            'without a comparison, run again with --force-push "why"'
        )
        return row | {"expected": None, "received": None, "passed": False, "note": note}
    ours = measured["ranking"]
    compared_lists = _compare_lists(
        ours[metric], ours["against"][PUSHED][metric], 0.0, significant=False
    )
    notes = [each["note"] for each in (compared_lists, compared) if "note" in each]
    return row | compared_lists | ({"note": "; ".join(notes)} if notes else {})


def _check_limit(checked: RuleRow) -> RuleRow:
    """The rule for `checked`, a row of `check_limits`."""
    of, metric, limit = checked["of"], checked["metric"], checked["limit"]
    row = _build_row(f"{of}: gap of {metric} at most {limit:g}", metric, of, "limit")
    rest = {key: checked[key] for key in ("passed", "note") if key in checked}
    return row | {"expected": limit, "received": checked.get("received")} | rest


def _check_bias_baseline(name: str, label: RuleRow) -> RuleRow:
    row = _build_row(f"{name}: RMSE not above the bias baseline's", "rmse", name, "bias baseline")
    if "rmse" not in label:
        unmeasured = {"expected": None, "received": None, "passed": False}
        return row | unmeasured | {"note": _explain_unmeasured(label)}
    expected, received = label["bias_baseline_rmse"], label["rmse"]
    return row | {"expected": expected, "received": received, "passed": received <= expected}


def _build_row(rule: str, metric: str, of: str, against: str | None) -> RuleRow:
    return {"rule": rule, "metric": metric, "of": of, "against": against}
