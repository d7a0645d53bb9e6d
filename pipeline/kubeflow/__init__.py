"""Compiles the DAG for Kubeflow Pipelines, submits it, and reports its runs at the root."""
