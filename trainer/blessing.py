"""Whether what was measured is good enough to be pushed."""

from trainer.config import EvaluationConfig


def failures(measured: dict, config: EvaluationConfig) -> list[str]:
    """A sentence per rule that is broken; none when the models are blessed.

    `measured` is what `trainer.evaluation.evaluate` returns.
    """
    found = []
    ours = measured["retrieval"]["ndcg@10"]
    popular = measured["retrieval"]["baselines"]["popular"]["ndcg@10"]
    if config.must_beat_popular and ours <= popular:
        found.append(
            f"retrieval ndcg@10: expected more than all-time popularity's {popular:.4f}, "
            f"received {ours:.4f}"
        )
    return found
