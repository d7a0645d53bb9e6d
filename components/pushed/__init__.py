"""The pushed version, as the start of a training and the baseline of an evaluation."""
