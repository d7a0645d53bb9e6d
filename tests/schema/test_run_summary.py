"""The typed summary keeps every key of the JSON, and refuses summaries of other versions."""

import json

import pytest

from schema.errors import UsageError
from schema.evaluation_summary import ListMetrics, RankingSummary, VerdictSummary
from schema.run_summary import EventLog, IndexSummary, RunSummary
from tests.pipeline.run_summaries import fill_summary


def test_undeclared_keys_are_metrics():
    result = {"ndcg@10": 0.25, "order": "ranking", "intervals": {"ndcg@10": {"low": 0, "high": 1}}}
    ranking = RankingSummary.model_validate(result)
    assert ranking.metrics == {"ndcg@10": 0.25}
    assert ranking.is_served
    assert ranking.to_json() == result


def test_a_metric_is_a_number():
    with pytest.raises(ValueError, match=r"ndcg@10\n"):
        ListMetrics.model_validate({"ndcg@10": "high"})


def test_outliers_of_the_log_are_counted_by_kind():
    log = EventLog.model_validate({"begin": 1, "end": 2, "future_events": 3})
    assert log.outliers == {"future_events": 3}


def test_undeclared_keys_are_kept():
    index = {
        "kind": "ivf", "items": 5, "ann_recall@100": 0.5, "p50_ms": 1.5, "exact_p50_ms": 2.5,
        "parameters": {"leaves": 3, "codes": None},
    }  # fmt: skip
    assert IndexSummary.model_validate(index).to_json() == index


def test_absent_keys_stay_absent_and_null_stays_null():
    verdict = {"blessed": True, "rules": [{"rule": "a", "passed": True, "expected": None}]}
    assert VerdictSummary.model_validate(verdict).to_json() == verdict


def test_the_best_baseline_is_the_one_with_the_highest_ndcg():
    baselines = {"popular": {"ndcg@10": 0.25}, "recent": {"ndcg@10": 0.5}}
    text = json.dumps(fill_summary(retrieval={"users": 9, "baselines": baselines}))
    assert RunSummary.parse(text, "summary.json").retrieval.best_baseline == "recent"


def test_a_summary_of_another_version_is_refused_and_the_missing_key_named():
    old = fill_summary()
    del old["index"]["exact_p50_ms"]
    with pytest.raises(UsageError, match=r"in runs/summary.json, .* valid index.exact_p50_ms"):
        RunSummary.parse(json.dumps(old), "runs/summary.json")
