"""Was it right to serve ranking's order, or retrieval's? Decided on valid, judged on test."""

from collections.abc import Sequence
from typing import Any, NamedTuple

RANKING = "ranking"


class Decision(NamedTuple):
    """The decision of one run. A gain is the NDCG@10 of ranking's order less that of retrieval's
    order.
    """

    seed: int
    served: str
    """`ranking` or `retrieval`."""
    gain_on_valid: float
    gain_on_test: float

    @property
    def cost(self) -> float:
        """NDCG@10 on test that the other order would have had more; 0 if the decision is right."""
        gain = self.gain_on_test if self.served == RANKING else -self.gain_on_test
        return max(0.0, -gain)


def read_decision(seed: int, summary: dict[str, Any], stages: dict[str, Any]) -> Decision:
    """Reads the decision from a run's summary; `stages` are the metrics on test by stage."""
    return Decision(
        seed,
        summary["ranking"]["order"],
        summary["ranking"]["training"]["valid_difference"],
        stages["final"]["ndcg@10"] - stages["retrieval"]["ndcg@10"],
    )


def summarise(decisions: Sequence[Decision]) -> dict[str, Any]:
    """All decisions, how many were right, the mean cost of all, and the mean cost of the wrong
    ones (0 if none was wrong).
    """
    costs = [decision.cost for decision in decisions]
    wrong = [cost for cost in costs if cost > 0]
    return {
        "by_seed": [each._asdict() | {"cost": each.cost} for each in decisions],
        "right": len(costs) - len(wrong),
        "mean_cost": sum(costs) / len(costs),
        "mean_cost_of_wrong": sum(wrong) / len(wrong) if wrong else 0.0,
    }
