"""The parts of a run's final report: quality, labels, fairness, verdict."""

import io
from typing import Any

import pytest

from pipeline.report import terminal, terminal_tables
from schema.evaluation_summary import FairnessSummary, LabelSummary, VerdictSummary
from tests.pipeline.run_summaries import make_summary


def metrics(ndcg: float, **more: object) -> dict[str, Any]:
    return {"ndcg@10": ndcg} | more


def difference(value: float, verdict: str) -> dict[str, Any]:
    low, high = value - 0.01, value + 0.01
    return {"value": value, "low": low, "high": high, "users": 900, "verdict": verdict}


def summary(**retrieval: object) -> dict[str, Any]:
    """Some parts of summary.json."""
    better, noise = difference(0.02, "better"), difference(-0.001, "inside the noise")
    return {
        "retrieval": metrics(
            0.1,
            users=1900,
            baselines={"popular": metrics(0.05), "item_neighbours": metrics(0.08)},
            against={"popular": {}, "item_neighbours": {"ndcg@10": better, "recall@10": noise}},
        )
        | retrieval,
        "ranking": metrics(
            0.11,
            order="ranking",
            intervals={"ndcg@10": {"low": 0.0994, "high": 1.0}},
            against={"item_neighbours": {"ndcg@10": better}, "retrieval": {"ndcg@10": noise}},
        ),
        "verdict": verdict(),
    }


def printed(renderable: Any) -> list[str]:
    file = io.StringIO()
    console = terminal.make_console(file)
    console.width = 1000
    console.print(renderable)
    return file.getvalue().splitlines()


def rows(table: Any) -> dict[str, list[str]]:
    """The other cells of a row, by its first cell."""
    values_by_name = {}
    for line in printed(table):
        name, *cells = (cell.strip() for cell in line.strip("│").split("│"))
        if line.startswith("│"):
            values_by_name[name] = cells
    return values_by_name


def difference_rows(parts: dict[str, Any]) -> dict[str, list[str]]:
    return rows(terminal_tables.make_differences_table(make_summary(**parts)))


def quality_rows(parts: dict[str, Any]) -> dict[str, list[str]]:
    return rows(terminal_tables.make_quality_table(make_summary(**parts)))


def test_lists_are_compared_with_the_baseline_with_the_highest_ndcg():
    assert difference_rows(summary()) == {
        "retrieval - item neighbours": ["+0.0200 better", "-0.0010 inside the noise", ""],
        "final lists - item neighbours": ["+0.0200 better", "", ""],
        "final lists - retrieval": ["-0.0010 inside the noise", "", ""],
    }


def test_final_lists_in_retrievals_order_are_not_compared_with_themselves():
    summary_values = summary()
    summary_values["ranking"]["order"] = "retrieval"
    assert "final lists - retrieval" not in rows(
        terminal_tables.make_differences_table(make_summary(**summary_values))
    )


def test_too_few_users_are_noted_first():
    note = "too few users for a verdict: expected 50, received 12"
    few = make_summary(**summary(users=12, note=note)).retrieval
    many = make_summary(**summary()).retrieval
    assert terminal_tables.format_user_count(many) == "evaluated on 1,900 test users"
    assert terminal_tables.format_user_count(few) == f"evaluated on 12 test users; {note}"


def test_a_version_pushed_before_has_its_row_and_its_verdict():
    summary_values = summary()
    summary_values["verdict"] = verdict(pushed_before=metrics(0.1075, version=3, path="/serving/3"))
    summary_values["ranking"]["against"]["pushed"] = {
        "ndcg@10": difference(0.0025, "inside the noise")
    }
    assert quality_rows(summary_values)["pushed version 3"][0] == "0.1075"
    compared = difference_rows(summary_values)["final lists - pushed now"]
    assert compared[0] == "+0.0025 inside the noise"


def test_an_interval_follows_its_metric():
    assert quality_rows(summary())["final lists"][0] == "0.1100 .099-1.000"


REGRESSION = {
    "kind": "regression", "events": 1100, "rmse": 0.9, "bias_baseline_rmse": 0.95,
    "mae": 0.7, "bias_baseline_mae": 0.75,
}  # fmt: skip
BINARY = {
    "kind": "binary", "events": 20, "rmse": 0.3, "bias_baseline_rmse": 0.31, "log_loss": 0.4,
    "expected_calibration_error": 0.01, "uncalibrated_expected_calibration_error": 0.05,
    "reliability": [],
}  # fmt: skip
CONSTANT = {"kind": "binary", "events": 20, "note": "all 20 test events have 0"}


def test_a_label_in_a_line():
    labels = {"rating": REGRESSION, "purchase": BINARY, "returned": CONSTANT}
    rating, purchase, constant = terminal_tables.format_label_errors(
        {name: LabelSummary.model_validate(label) for name, label in labels.items()}
    )
    assert rating == (
        "rating: RMSE 0.9000, bias baseline 0.9500; MAE 0.7000, bias baseline 0.7500 "
        "(1,100 test events)"
    )
    assert purchase == (
        "purchase: RMSE 0.3000, bias baseline 0.3100; log loss 0.4000; "
        "expected calibration error 0.0100, uncalibrated 0.0500 (20 test events)"
    )
    assert constant == "returned: not measured: all 20 test events have 0 (20 test events)"


def fairness_lines(**tables: dict[str, Any]) -> list[str]:
    return list(terminal_tables.format_fairness(FairnessSummary.model_validate(tables)))


def users(limit: float | None) -> dict[str, Any]:
    groups = {
        "north": {"users": 400, "metric": {"value": 0.12, "low": 0.1, "high": 0.14}},
        "south": {"users": 500, "metric": {"value": 0.08, "low": 0.06, "high": 0.1}},
    }
    gap = {"value": 0.04, "low": 0.01, "high": 0.07}
    values_by_name = {"groups": groups, "best": "north", "worst": "south", "gap": gap}
    return {
        "users.region": values_by_name | {"metric": "ndcg@10", "limit": limit, "required": False}
    }


@pytest.mark.parametrize(
    ("limit", "message"),
    [(None, "no limit"), (0.05, "limit 0.05 met"), (0.03, "limit 0.03 exceeded")],
)
def test_a_gap_of_users_in_a_line(limit, message):
    assert fairness_lines(users=users(limit)) == [
        "fairness of users.region, ndcg@10: gap 0.0400 (+0.0100 to +0.0700), north 0.1200, "
        f"south 0.0800, {message}"
    ]


def test_a_gap_of_items_in_a_line():
    row = {
        "exposure": {"value": 0.2, "low": 0.1, "high": 0.3},
        "relevance": {"value": 0.5, "low": 0.4, "high": 0.6},
        "difference": {"value": -0.3, "low": -0.4, "high": -0.2},
    }
    values_by_name = {
        "groups": {"rare": row},
        "widest": "rare",
        "gap": 0.3,
        "metric": "exposure@10",
    }
    (line,) = fairness_lines(items={"items.tags": values_by_name | {"limit": 0.2}})
    assert line == (
        "fairness of items.tags, exposure@10: gap 0.3000, rare has 0.2000 of the exposure and "
        "0.5000 of the relevant items (-0.4000 to -0.2000), limit 0.2 exceeded"
    )


def test_an_unmeasured_gap_has_a_reason():
    values_by_name = {"groups": {}, "note": "no gap: no test user has a known value of users.age"}
    values_by_name |= {"metric": "ndcg@10", "limit": 0.1}
    (line,) = fairness_lines(users={"users.age": values_by_name})
    assert line == f"fairness of users.age, ndcg@10: not measured: {values_by_name['note']}"
    assert fairness_lines() == []


def rule(name: str, passed: bool, **more: object) -> dict[str, Any]:
    return {"rule": name, "expected": 0.1, "received": 0.08, "passed": passed} | more


def verdict(*rules: dict[str, Any], **more: object) -> dict[str, Any]:
    values_by_name = {"blessed": all(each["passed"] for each in rules), "rules": list(rules)}
    return values_by_name | {"pushed_before": None, "forced": None} | more


def parse_verdict(*rules: dict[str, Any], **more: object) -> VerdictSummary:
    return VerdictSummary.model_validate(verdict(*rules, **more))


def test_failed_rules_are_in_a_table_with_their_difference():
    decided = parse_verdict(
        rule("final lists: ndcg@10 not worse than recent", False, low=-0.03, high=-0.01),
        rule("final lists: recall@10 at least 0.1", False, low=None, high=None),
        rule("rating: RMSE not above the bias baseline's", False, expected=None, received=None),
        rule("held", True),
    )
    assert rows(terminal_tables.make_broken_rules_table(decided)) == {
        "final lists: ndcg@10 not worse than recent": [
            "0.1000", "0.0800", "-0.0200", "-0.0300 to -0.0100",
        ],
        "final lists: recall@10 at least 0.1": ["0.1000", "0.0800", "-0.0200", ""],
        "rating: RMSE not above the bias baseline's": ["not measured", "not measured", "", ""],
    }  # fmt: skip
    assert terminal_tables.format_verdict(decided) == "not blessed: 3 of 4 rules broken"


def test_all_rules_held():
    decided = parse_verdict(rule("held", True))
    assert terminal_tables.format_verdict(decided) == "blessed: 1 rule held"


def test_an_override_names_who_and_why():
    forced = {"who": "ada", "why": "holiday stock", "at": "2026-01-01T00:00:00Z"}
    decided = parse_verdict(rule("broken", False), forced=forced)
    assert terminal_tables.format_verdict(decided) == (
        "not blessed: 1 of 1 rule broken; pushed by force by ada: holiday stock"
    )


def test_a_note_is_printed_once_for_all_its_rules():
    few = rule("a", True, note="too few users")
    decided = parse_verdict(few, rule("b", True), few | {"rule": "c"})
    assert terminal_tables.format_rule_notes(decided) == ["a; c: too few users"]


def test_weighted_metrics_have_a_table_with_differences():
    weighted = {"snips_ndcg@10": 0.21, "snips_recall@10": 0.31}
    parts = summary(**weighted)
    parts["ranking"]["against"]["retrieval"]["snips_ndcg@10"] = difference(0.04, "worse")
    found = rows(terminal_tables.make_snips_table(make_summary(**parts)))
    assert found["retrieval"] == ["0.2100", "0.3100", ""]
    assert found["final lists"] == ["", "", ""]
    assert found["final lists - retrieval"] == ["+0.0400 worse", "", ""]


def test_each_warning_is_a_line():
    text = "final lists for new users: worse than recent in ndcg@10"
    decided = parse_verdict(rule("held", True), warnings=[rule("new", False, failure=text)])
    assert terminal_tables.format_warnings(decided) == [f"warning: {text}"]
    assert terminal_tables.format_verdict(decided) == "blessed: 1 rule held"
