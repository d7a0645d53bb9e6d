"""Measurements quoted in the documentation: one module or package per question,
each with its own command.
"""
