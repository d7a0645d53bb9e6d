"""Statistics, rules and the gate that data pass before anything is trained."""
