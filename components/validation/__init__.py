"""Data validation before training: statistics, rules and the gate."""
