"""Keras layers that both models are built from."""
