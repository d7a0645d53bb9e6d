"""Both stages measured on the test split, beside baselines, and the blessing."""
