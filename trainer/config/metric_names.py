"""Names of the metrics of ranked lists, for configurations that name one."""

CUTOFFS = (5, 10, 20, 50, 100)
"""Lengths of a list's head that metrics look at."""

PER_USER = tuple(
    f"{name}@{k}" for k in CUTOFFS for name in ("recall", "ndcg", "hit_rate", "mrr")
)  # fmt: skip
"""Metrics that each user has a value of, see trainer.metrics.ranking."""

EXPOSURE = tuple(f"exposure@{k}" for k in CUTOFFS)
"""What groups of items have of the lists, see trainer.evaluation.fairness."""
