"""Means are compared with targets, and one model must reach all of them."""

import pytest

from benchmarks.quality import published

TARGETS = {"recall@10": 0.2, "coverage@10": 0.01}


def _measured(**means):
    return {name.replace("_", "@"): {"mean": mean} for name, mean in means.items()}


def test_a_mean_at_the_target_meets_it():
    measured = _measured(recall_10=0.2, coverage_10=0.02)
    assert published.verdicts(TARGETS, measured) == {
        "recall@10": {"target": 0.2, "mean": 0.2, "met": True},
        "coverage@10": {"target": 0.01, "mean": 0.02, "met": True},
    }
    assert published.met(TARGETS, measured) is True


def test_one_target_missed_is_not_made_up_for_by_another():
    measured = _measured(recall_10=0.1999, coverage_10=0.9)
    assert published.verdicts(TARGETS, measured)["recall@10"]["met"] is False
    assert published.met(TARGETS, measured) is False


def test_a_metric_without_measurement_is_not_met():
    result = published.verdicts(TARGETS, _measured(recall_10=0.3))
    assert result["coverage@10"] == {"target": 0.01, "mean": None, "met": False}


def test_without_targets_there_is_no_verdict():
    assert published.met({}, _measured(recall_10=0.3)) is None


def test_each_peer_has_the_metrics_of_its_source():
    """Two rows of each table, copied by hand."""
    films, beauty = published.PEERS["movietweetings"], published.PEERS["beauty"]
    by_name = {peer.method: peer.metrics for peer in (*films, *beauty)}
    assert by_name["implicit ALS 64"] == {
        "recall@10": 0.1068,
        "ndcg@10": 0.0631,
        "recall@100": 0.3363,
        "coverage@10": 0.052,
        "new_items_recall@100": 0.0,
    }
    assert by_name["SASRec + sampled softmax"] == {"recall@10": 0.0921, "ndcg@10": 0.0531}
    assert by_name["implicit BM25 item-kNN 200"]["recall@100"] == pytest.approx(0.1780)


def test_movielens_targets_are_the_best_published_figures():
    peers = [peer.metrics for peer in published.PEERS["ml-1m"]]
    best = {name: max(peer[name] for peer in peers) for name in ("recall@10", "ndcg@10")}
    assert published.TARGETS["ml-1m"] == best == {"recall@10": 0.3294, "ndcg@10": 0.1893}
