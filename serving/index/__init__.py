"""Indexes over candidate vectors: exact, ScaNN and inverted file, and how they are tuned."""
