"""A package, so that another one of this name that a library puts on the path is not imported."""
