"""Runs a compiled DAG on this machine: node after node, or several nodes at once."""
