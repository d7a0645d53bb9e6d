"""The configuration: one typed, validated TOML, and what else a run is told."""
