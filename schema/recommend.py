"""What may be recommended to a user, and how diverse it is."""

from typing import Annotated, Literal

from pydantic import Field

from schema.base import StrictModel

Repeats = Literal["exclude", "allow", "only"]
"""Whether lists hold items of the user's history."""
Share = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1."""


class Recommend(StrictModel):
    """What may be recommended. Training, evaluation, the served models and bulk lists follow it."""

    repeats: Repeats = "exclude"
    """Items of a user's history: `exclude` them from the user's lists; `allow` them, where the same
    item is consumed repeatedly, as with groceries, music or news; or list `only` them, in order to
    remind. With `only`, search is exact, and a new user's list is empty."""
    diversity: Share = 0.0
    """Diversity of the final lists, 0 to 1, where a request does not set its own: from the order of
    relevance to lists of items that are as different as possible. The report shows what each value
    costs in accuracy; evaluation and the gate measure the lists of this one."""
    calibration: Share = 0.0
    """How closely the categories of a list follow those of the user's history, 0 to 1: a user with
    70 % crime and 30 % comedy gets both in these shares. The categories are those of
    `data.items.filter`, which it requires."""
