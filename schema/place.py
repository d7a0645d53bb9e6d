"""Where something lies: a path of this machine, or a URL."""


def is_remote(place: str) -> bool:
    """Whether `place` is a URL."""
    return "://" in place
