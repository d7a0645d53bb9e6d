"""The catalogue."""

from typing import Literal

from schema.sources.base import Source


class ItemsSource(Source):
    """The catalogue."""

    item_id: str = "item_id"
    """Column of the item's id."""
    title: str | None = None
    """Column of the title, shown to people next to the id."""
    available: str | None = None
    """Column that marks items that may be recommended: boolean, 0 or 1, `true` or `false`; an item
    without a value may be recommended. Other items are never recommended, but stay in histories,
    and the models learn from them."""
    filter: str | None = None
    """Name of an item feature of kind `category` or `set` by whose values requests can filter: see
    `allowed_categories` in SERVING.md."""
    duplicates: Literal["last", "fail"] = "last"
    """Which of several records with the same id to use: the `last`; or `fail`: reject all others
    and stop the run with exit code 3."""
