"""Days with values set by hand, and their summary."""

import math

import pytest

from pipeline.commands import backfill
from pipeline.report import retraining_value
from schema.errors import UsageError
from schema.run_summary import RunSummary
from tests.pipeline.run_summaries import make_summary


def metrics(value):
    return {"ndcg@10": value, "recall@10": value, "recall@100": value, "coverage@10": 0.5}


def difference(value, half, users):
    values_by_name = {"value": value, "low": value - half, "high": value + half, "users": users}
    return {name: values_by_name | {"verdict": "better"} for name in retraining_value.METRICS}


def summary(pushed: int | None = 3, with_never_retrained=True, passed=True) -> RunSummary:
    version = {"version": 1, "path": "/"}
    others = {"never_retrained": metrics(0.2) | version, "left_alone": metrics(0.1) | version}
    rules = [
        {"rule": "final lists: ndcg@10 not worse than popular", "passed": passed},
        {"rule": "final lists: recall@100 not worse than popular", "passed": True},
    ]
    baselines = {"popular": {}} | (
        {"never_retrained": difference(0.1, 0.02, 100)} if with_never_retrained else {}
    )
    return make_summary(
        retrieval={"users": 100, "baselines": {"popular": metrics(0.05)}},
        ranking=metrics(0.3) | {"order": "ranking", "against": baselines},
        beside=others if with_never_retrained else {},
        verdict={"blessed": passed, "rules": rules},
        servables={"recommender": {"version": pushed, "path": "/"}} if pushed else {},
        stages=[
            {"name": "ItemsGen", "seconds": 1.25, "cached": False},
            {"name": "Indexer", "seconds": 2.25, "cached": False},
        ],
    )


def test_a_day_compares_its_models_with_unchanged_ones():
    day = retraining_value.make_day_record("2024-01-31", "f", summary())
    assert {name: result["ndcg@10"] for name, result in day["quality"].items()} == {
        "retrained": 0.3, "never_retrained": 0.2, "left_alone": 0.1, "popular": 0.05,
    }  # fmt: skip
    assert (day["pushed"], day["blessed"], day["broken"], day["seconds"]) == (3, True, [], 3.5)
    assert day["difference"]["ndcg@10"]["value"] == 0.1
    assert day["oldest"] == 1


def test_the_first_pushed_model_is_its_own_never_retrained_one():
    day = retraining_value.make_day_record(
        "2024-01-31", "f", summary(pushed=1, with_never_retrained=False)
    )
    assert day["quality"]["never_retrained"] == day["quality"]["retrained"]
    assert day["difference"] is None


def test_models_that_are_not_blessed_are_part_of_the_record():
    day = retraining_value.make_day_record(
        "2024-01-31", "f", summary(pushed=None, with_never_retrained=False, passed=False)
    )
    assert day["pushed"] is None
    assert day["broken"] == ["final lists: ndcg@10 not worse than popular"]
    assert "never_retrained" not in day["quality"]


def row(span, users, retrained, never, half):
    return {
        "span": span,
        "fingerprint": "f",
        "users": users,
        "pushed": 1,
        "quality": {"retrained": metrics(retrained), "never_retrained": metrics(never)},
        "difference": difference(retrained - never, half, users),
    }


def test_days_are_weighed_by_their_users():
    """100 users gain .2 and 300 users .04: a mean of .08. With half-widths of .08 and .04
    the weighted errors are 8 and 12, and together sqrt(64 + 144) / 400.
    """
    first = {"span": "1", "fingerprint": "f", "users": 999, "quality": {}, "difference": None}
    days = [first, row("2", 100, 0.4, 0.2, 0.08), row("3", 300, 0.34, 0.3, 0.04)]
    overall = retraining_value.compute_overall(days)
    assert overall is not None
    assert (overall["days"], overall["users"]) == (2, 400)
    assert overall["quality"]["retrained"]["ndcg@10"] == pytest.approx(0.355)
    assert overall["quality"]["never_retrained"]["recall@100"] == pytest.approx(0.275)
    difference = overall["difference"]["ndcg@10"]
    half = math.sqrt(208) / 400
    assert difference["value"] == pytest.approx(0.08)
    assert difference["low"] == pytest.approx(0.08 - half)
    assert difference["high"] == pytest.approx(0.08 + half)
    assert difference["verdict"] == "better"


def test_a_gain_inside_the_noise_is_called_so():
    overall = retraining_value.compute_overall([row("2", 100, 0.21, 0.2, 0.02)])
    assert overall is not None
    assert overall["difference"]["ndcg@10"]["verdict"] == "inside the noise"
    assert retraining_value.format_overall(overall).endswith(": inside the noise")


def test_a_single_day_has_no_verdict():
    day = retraining_value.make_day_record("1", "f", summary(with_never_retrained=False))
    assert retraining_value.compute_overall([day]) is None


def test_a_finished_day_is_identified_by_its_fingerprint(tmp_path):
    days = backfill.replace_day([], row("2", 9, 0.3, 0.2, 0.1))
    backfill.write_record(backfill.make_record("shop", days), tmp_path / "backfill.json")
    again = backfill.read_days(tmp_path / "backfill.json")
    assert again == days
    assert backfill.is_finished(again, "2", "f")
    assert not backfill.is_finished(again, "2", "other data")
    assert not backfill.is_finished(again, "3", "f")


def test_a_repeated_day_replaces_its_record():
    days: list = []
    for span in ("10", "9", "11"):
        days = backfill.replace_day(days, row(span, 9, 0.3, 0.2, 0.1))
    days = backfill.replace_day(days, row("10", 9, 0.5, 0.2, 0.1))
    assert [day["span"] for day in days] == ["9", "10", "11"]
    assert days[1]["quality"]["retrained"]["ndcg@10"] == 0.5


def test_nothing_is_finished_before_the_first_day(tmp_path):
    assert backfill.read_days(tmp_path / "backfill.json") == []


@pytest.mark.parametrize("text", ["", "[]", '{"name": "shop"}'])
def test_a_file_that_is_not_a_record_is_not_overwritten(tmp_path, text):
    path = tmp_path / "backfill.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="expected the record of a backfill at"):
        backfill.read_days(path)
