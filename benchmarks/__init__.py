"""Measurements that the documentation quotes: one module a question, each with its own command."""
