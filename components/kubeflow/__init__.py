"""Tasks on Kubeflow Pipelines: their entrypoint, their records, and the outcome of a run."""
