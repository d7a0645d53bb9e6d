"""Evaluation of both stages on the test split against baselines, and the blessing."""
