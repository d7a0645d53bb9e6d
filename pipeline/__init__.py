"""Wiring: configuration -> DAG -> runner, and the command line."""
