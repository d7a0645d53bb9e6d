"""Typed settings of training, tuning and evaluation; nothing here imports TensorFlow."""
