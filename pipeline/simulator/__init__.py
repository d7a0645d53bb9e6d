"""A simulated shop whose true choice probabilities are known, so that its ceiling is known too."""
