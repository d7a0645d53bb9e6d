"""The last tasks of a run on Kubeflow: what `tandem run` leaves at its root, from artifacts."""
