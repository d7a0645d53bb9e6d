"""The DAG on Kubeflow Pipelines: compiled, submitted, and ended with a report at the root."""
