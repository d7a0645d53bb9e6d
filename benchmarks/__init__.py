"""Measurements quoted in the documentation: one module per question, each with its own command."""
