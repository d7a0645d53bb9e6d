"""What may be recommended to a user."""

from typing import Literal

from schema.base import StrictModel

Repeats = Literal["exclude", "allow", "only"]
"""Whether lists hold items of the user's history."""


class Recommend(StrictModel):
    """What may be recommended. Training, evaluation, the served models and bulk lists follow it."""

    repeats: Repeats = "exclude"
    """Items of a user's history: `exclude` them from the user's lists; `allow` them, where the same
    item is consumed repeatedly, as with groceries, music or news; or list `only` them, in order to
    remind. With `only`, search is exact, and a new user's list is empty."""
