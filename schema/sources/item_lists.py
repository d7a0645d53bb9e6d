"""Rows of the event log with several items: baskets, impressions and earlier histories."""

from typing import Annotated, Literal

from pydantic import Field

from schema.base import StrictModel

Separator = Annotated[str, Field(min_length=1)]


class Basket(StrictModel):
    """Several items in one row, such as those of an order or of a user's whole history: `item_id`
    is a list (JSON, Parquet, or a list written as text) or a text with a separator. Each item
    becomes an event of its own, in the order of the list, with the other columns of the row. Counts
    of read and rejected records count these events. A row without an item is rejected.
    """

    separator: Separator = ","
    """Separator of lists that are texts without brackets; blanks around items are removed. A blank
    separates at any number of blanks."""
    parallel: list[str] = []
    """Other columns with one value for each item of the row, in the same order and the same form:
    the times of a history, ratings, quantities. A row in which the numbers of values differ is
    rejected."""


class Impressions(StrictModel):
    """Items that were shown, of which some were clicked, in one row. Each clicked item is an event;
    the others of the row are negatives when ranking's order is trained on that event, and count in
    exposure propensities. They are in no history, and popularity does not count them. A row without
    a click is counted as unused.
    """

    shown: str
    """Column of all items that were shown, including clicked ones: a list, or a text with a
    separator."""
    separator: Separator = " "
    """Separator of `shown` if it is a text without brackets."""
    clicked: Literal["item_id", "position", "suffix"] = "item_id"
    """`item_id`: the column `item_id` has the clicked item; with `basket`, several of them.
    `position`: it has the position of the clicked item in `shown`; with `basket`, several. An
    empty position, and the one before the first, mean no click. `suffix`: each item in `shown` ends
    with `-1` if it was clicked and with `-0` if not, as in MIND (`N7-0 N12-1`); there is no column
    `item_id`."""
    first_position: Literal[0, 1] = 0
    """Position of the first shown item, for `clicked = "position"`."""


class EarlierHistory(StrictModel):
    """Items that the user had interacted with before the log began, oldest first, in a column that
    repeats them in each of the user's rows, as in MIND. Those of the user's earliest event in a
    table with the column are used. They are history only, at times just before the log begins;
    nothing counts them.
    """

    column: str
    """Column of the items: a list, or a text with a separator."""
    separator: Separator = " "
    """Separator if it is a text without brackets."""
