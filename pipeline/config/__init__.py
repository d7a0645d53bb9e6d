"""The configuration, one typed and validated TOML file, and the parameters of a run."""
