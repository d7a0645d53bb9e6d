"""Records that the tasks of a run on Kubeflow Pipelines write, and the outcome of the run."""
