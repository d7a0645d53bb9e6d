"""What the tasks of a run on Kubeflow Pipelines leave for its end, and how the end is told."""
