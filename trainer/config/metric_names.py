"""Names of the metrics of ranked lists that a configuration may name."""

CUTOFFS = (5, 10, 20, 50, 100)
"""Numbers of first items of a list for which metrics are computed."""

PER_USER = tuple(
    f"{name}@{k}" for k in CUTOFFS for name in ("recall", "ndcg", "hit_rate", "mrr")
)  # fmt: skip
"""Metrics with one value per user, see trainer.metrics.ranking."""

EXPOSURE = tuple(f"exposure@{k}" for k in CUTOFFS)
"""Metrics of groups of items, see trainer.evaluation.fairness."""
