"""The cost of a decision is what the other order would have had more on test."""

import pytest

from benchmarks.quality.decisions import Decision, read_decision, summarise


@pytest.mark.parametrize(
    ("served", "gain_on_test", "cost"),
    [
        ("ranking", 0.01, 0.0),
        ("ranking", -0.01, 0.01),
        ("retrieval", 0.01, 0.01),
        ("retrieval", -0.01, 0.0),
        ("retrieval", 0.0, 0.0),
    ],
)
def test_cost(served, gain_on_test, cost):
    assert Decision(1, served, 0.0, gain_on_test).cost == cost


def test_costs_are_averaged_over_all_and_over_the_wrong_ones():
    result = summarise(
        [
            Decision(1, "ranking", 0.1, -0.03),
            Decision(2, "ranking", 0.1, 0.2),
            Decision(3, "retrieval", 0.0, 0.01),
            Decision(4, "retrieval", 0.0, -0.5),
        ]
    )
    assert result["right"] == 2
    assert result["mean_cost"] == pytest.approx(0.01)
    assert result["mean_cost_of_wrong"] == pytest.approx(0.02)
    assert [each["cost"] for each in result["by_seed"]] == [0.03, 0.0, 0.01, 0.0]


def test_without_a_wrong_decision_nothing_was_lost():
    assert summarise([Decision(1, "ranking", 0.1, 0.2)])["mean_cost_of_wrong"] == 0.0


def test_it_is_read_from_the_summary_and_the_referee():
    summary = {"ranking": {"order": "retrieval", "training": {"valid_difference": 0.004}}}
    stages = {"final": {"ndcg@10": 0.75}, "retrieval": {"ndcg@10": 0.5}}
    assert read_decision(7, summary, stages) == Decision(7, "retrieval", 0.004, 0.25)
