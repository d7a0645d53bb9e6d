"""The optional user table."""

from schema.sources.base import Source


class UsersSource(Source):
    """The optional user table."""

    user_id: str = "user_id"
    """Column of the user's id."""
