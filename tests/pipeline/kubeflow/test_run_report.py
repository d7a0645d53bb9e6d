"""The metrics for the comparison of runs on KFP's pages."""

import math
from typing import Any

from pipeline.kubeflow.run_report import collect_displayed_metrics
from tests.pipeline.run_summaries import make_summary

SUMMARY: dict[str, Any] = {
    "retrieval": {
        "ndcg@10": 0.25,
        "users": 400,
        "intervals": {"ndcg@10": {"low": 0.2, "high": 0.3}},
        "baselines": {"item_neighbours": {"ndcg@10": 0.125, "recall@100": math.nan}},
    },
    "ranking": {"ndcg@10": 0.5, "order": "ranking"},
    "verdict": {
        "blessed": False,
        "rules": [{"rule": "a", "passed": True}, {"rule": "b", "passed": False}],
    },
    "servables": {},
    "index": {"kind": "scann", "ann_recall@100": 0.9375, "items": 4000, "p50_ms": 0.5,
              "exact_p50_ms": 2.0, "tuned": True},
}  # fmt: skip


def test_quality_with_baselines_verdict_and_index():
    assert collect_displayed_metrics(make_summary(**SUMMARY)) == {
        "ndcg@10 of final lists": 0.5,
        "ndcg@10 of retrieval": 0.25,
        "ndcg@10 of item neighbours": 0.125,
        "verdict: blessed": 0.0,
        "verdict: rules broken": 1.0,
        "verdict: pushed version": 0.0,
        "index: ann_recall@100": 0.9375,
        "index: items": 4000.0,
        "index: p50_ms": 0.5,
        "index: exact_p50_ms": 2.0,
    }


def test_a_run_that_pushed():
    pushed = {
        "verdict": {"blessed": True, "rules": [{"rule": "a", "passed": True}]},
        "servables": {
            "retrieval": {"version": 12, "path": "/retrieval/12"},
            "recommender": {"version": 12, "path": "/recommender/12"},
        },
    }
    displayed_metrics = collect_displayed_metrics(make_summary(**SUMMARY | pushed))
    assert (
        displayed_metrics["verdict: blessed"],
        displayed_metrics["verdict: pushed version"],
    ) == (1.0, 12.0)
