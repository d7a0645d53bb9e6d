"""The baselines that a model must beat."""
