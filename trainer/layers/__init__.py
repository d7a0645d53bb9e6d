"""Keras layers that both models share."""
