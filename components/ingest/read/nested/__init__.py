"""Values inside a column: paths to them, objects and lists written as text, Extended JSON."""
