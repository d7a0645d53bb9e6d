"""A summary with content for every section; tests change the parts that they check."""

import copy

import numpy as np
import pytest

from pipeline.report.html.data import DataVolumes


def _metrics(ndcg: float, **more: object) -> dict:
    bounds = {"ndcg@10": {"low": ndcg - 0.03125, "high": ndcg + 0.03125}}
    return {"ndcg@10": ndcg, "recall@10": 0.25, "recall@100": 0.5, "intervals": bounds} | more


def _interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.0625, "high": value + 0.0625}


def _difference(value: float, verdict: str) -> dict:
    return _interval(value) | {"users": 400, "verdict": verdict}


_SUMMARY = {
    "name": "shop",
    "seed": 7,
    "versions": {"tandem": "0.1.0"},
    "stages": [
        {"name": "ItemsGen", "seconds": 1.5, "cached": False},
        {"name": "Indexer", "seconds": 60.5, "cached": True},
    ],
    "rows": {
        "read": 1010, "accepted": 1000, "rejected": 7, "duplicates": 3, "users": 20, "items": 4000,
        "train": 800, "valid": 100, "test": 100,
    },
    "rejected_by_reason": {"interactions": {"rating: not a number": 7}, "items": {}},
    "retrieval": _metrics(
        0.25,
        users=400,
        baselines={"popular": _metrics(0.125), "recent": _metrics(0.1875)},
        ceiling={"ndcg@10": 0.75},
    ),
    "ranking": _metrics(
        0.3125,
        order="ranking",
        against={
            "popular": {"ndcg@10": _difference(0.1875, "better")},
            "recent": {"ndcg@10": _difference(0.03125, "inside the noise")},
        },
        slices={
            "history": {
                "new users": {"users": 100, "recall@10": _interval(0.125)},
                "warm users": {"users": 300, "recall@10": _interval(0.5)},
            },
        },
        labels={
            "rating": {"kind": "regression", "events": 90, "rmse": 0.75, "mae": 0.5,
                       "bias_baseline_rmse": 0.8125, "bias_baseline_mae": 0.4375},
            "gift": {"kind": "binary", "events": 0, "note": "constant in train"},
            "click": {"kind": "binary", "events": 50, "rmse": 0.375, "bias_baseline_rmse": 0.5,
                      "log_loss": 0.25, "expected_calibration_error": 0.0625,
                      "uncalibrated_expected_calibration_error": 0.125,
                      "reliability": [
                          {"low": 0, "high": 0.5, "predicted": 0.25, "observed": 0.25,
                           "events": 40},
                          {"low": 0.5, "high": 1, "predicted": 0.75, "observed": 0.875,
                           "events": 10},
                          {"low": 1, "high": 1, "predicted": 0, "observed": 1, "events": 0},
                      ]},
        },
    ),
    "index": {"kind": "scann", "items": 4000, "ann_recall@100": 0.96875, "p50_ms": 0.5,
              "exact_p50_ms": 2.0,
              "frontier": [{"kind": "scann", "ann_recall@100": 0.75, "p50_ms": 0.25}]},
    "fairness": {
        "users": {
            "users.region": {
                "groups": {"north": {"users": 200, "metric": _interval(0.5)},
                           "south": {"users": 190, "metric": _interval(0.25)},
                           "west": {"users": 0, "note": "no test user is in this slice"}},
                "best": "north", "worst": "south", "gap": _interval(0.25), "limit": 0.125,
                "metric": "ndcg@10",
            },
        },
        "items": {
            "items.category": {
                "groups": {"lamps": {"exposure": _interval(0.25), "relevance": _interval(0.375),
                                     "difference": _interval(-0.125)}},
                "widest": "lamps", "gap": 0.125, "limit": None, "metric": "exposure@10",
            },
        },
    },
    "verdict": {
        "blessed": False,
        "rules": [
            {"rule": "final lists: ndcg@10 not worse than popular", "metric": "ndcg@10",
             "of": "final lists", "against": "popular", "expected": 0.125, "received": 0.3125,
             "low": 0.125, "high": 0.25, "passed": True},
            {"rule": "users.region: gap of ndcg@10 at most 0.125", "metric": "ndcg@10",
             "of": "users.region", "against": "limit", "expected": 0.125, "received": 0.25,
             "passed": False},
        ],
        "pushed_before": None,
        "forced": None,
    },
    "analysis": {"artifact": "/runs/shop/RankingAnalysis/3",
                 "heads": {"gift": {"note": "constant in train"}},
                 "slices": {
                     "Overall": {"rating/mean_label": 3.5, "relevance/auc": 0.8125,
                                 "relevance/example_count": 900.0},
                     "region:north": {"relevance/auc": 0.6875, "note": "few"},
                 }},
    "servables": {},
    "artifacts": {},
    "examples": [],
    "config": {"name": "shop", "retrieval": {"epochs": 3}},
}  # fmt: skip


@pytest.fixture
def summary() -> dict:
    return copy.deepcopy(_SUMMARY)


@pytest.fixture
def volumes() -> DataVolumes:
    """Three days, 10 events on 3 items of 3 users; test begins on the third day."""
    return DataVolumes(
        days=np.array([18_000, 18_001, 18_003]),
        events=np.array([2, 5, 3]),
        per_item=np.array([7, 2, 1]),
        per_user=np.array([6, 3, 1]),
        cuts={"test begins": 18_003 * 86_400 + 5},
    )
