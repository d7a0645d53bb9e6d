"""Readable tables: numbers with their spread, and empty cells for missing ones."""

from benchmarks.quality import table

RESULT = {
    "data": "beauty",
    "seeds": [1, 2],
    "measured": {
        "final": {
            "recall@10": {"mean": 0.09, "min": 0.08, "max": 0.1},
            "ndcg@10": {"mean": 0.05, "min": 0.05, "max": 0.05},
        }
    },
    "decisions": {
        "by_seed": [
            {"seed": 1, "served": "ranking", "gain_on_valid": 0.02, "gain_on_test": -0.004},
            {"seed": 2, "served": "retrieval", "gain_on_valid": 0.0, "gain_on_test": -0.01},
        ],
        "right": 1,
        "mean_cost": 0.002,
        "mean_cost_of_wrong": 0.004,
    },
    "groups": {
        "new users": {
            "ndcg@10": {"mean": 0.1, "min": 0.09, "max": 0.11, "deviation": 0.0141},
            "above_popularity": {"mean": -0.01, "min": -0.02, "max": 0.0, "deviation": 0.0141},
        }
    },
    "baselines": {"popular": {"recall@10": 0.01346}},
    "published": [{"method": "TIGER", "source": "paper", "metrics": {"ndcg@10": 0.0384}}],
    "targets": {
        "final": {
            "recall@10": {"target": 0.0921, "mean": 0.09, "met": False},
            "ndcg@10": {"target": 0.05, "mean": 0.05, "met": True},
        }
    },
    "evaluator_minus_referee": -0.00002,
}


def test_rows_and_verdicts():
    lines = table.text(RESULT).splitlines()
    assert "| popular | .0135 |  |  |  |  | this run |" in lines
    assert "| TIGER |  | .0384 |  |  |  | paper |" in lines
    assert "| **Tandem, final** | .0900 (.0800–.1000) | .0500 |  |  |  | this run |" in lines
    assert "final: Recall@10 >= .0921 NOT met: .0900" in lines
    assert "final: NDCG@10 >= .0500 met: .0500" in lines
    assert "| new users | .1000 (.0900–.1100) | .0141 | -.0100 (-.0200–.0000) |" in lines
    assert (
        "seed 1: ranking's order is served; ranking gains +0.0200 NDCG@10 on valid and -0.0040 on "
        "test"
    ) in lines
    assert (
        "decisions that were right: 1 of 2; cost in NDCG@10: .0020 on average, .0040 where wrong"
    ) in lines
    assert "the pipeline's evaluator and the referee differ by 2.0e-05 at most" in lines


def test_the_ablation_is_a_table_of_its_own():
    spread = {"mean": 0.02, "min": 0.01, "max": 0.03}
    rows = [{"name": "mean pooling", "measured": {"valid_ndcg@10": spread}}]
    text = table.text(RESULT | {"ablation": rows})
    assert text.splitlines()[-1] == "| mean pooling | .0200 (.0100–.0300) |  |  |  |  |  |"
