"""The catalogue."""

from typing import ClassVar, Literal

from schema.sources.base import Source
from schema.sources.item_properties import ItemProperties


class ItemsSource(Source):
    """The catalogue. Items described in several files are several tables, `[[data.items]]`: the
    first has all items, later ones add columns by id. If several have a value of a column, that of
    the first of them is used. Records of later tables whose id the first does not have are counted
    as unused. `filter` and `duplicates` apply to all tables and are given in one of them.
    """

    RULES: ClassVar[tuple[str, ...]] = ("filter", "duplicates")
    """Keys that apply to all tables of the catalogue."""
    item_id: str = "item_id"
    """Column of the item's id."""
    properties: ItemProperties | None = None
    """Such a table has no column per feature."""
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
