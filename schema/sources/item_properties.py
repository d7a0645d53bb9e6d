"""Items described by a long table: one row per item, property and time."""

from pydantic import AwareDatetime

from schema.sources.time_options import TimeOptions


class ItemProperties(TimeOptions):
    """A table of items with one row for each value that a property of an item had from some time
    on, as in RetailRocket's `item_properties`. A declared feature, `title` or `available` is the
    property with the name of its column; rows of other properties are counted as unused.

    Of an item's values of a property, the latest one before `as_of` is used; earlier ones are
    counted as duplicates, later ones as unused. The same values are used in training, in evaluation
    and by the pushed models: training can see values from between its own events and the test
    split, but evaluation sees none that became known later. `tandem refresh` uses the latest
    values of its files, unless `as_of` is given.
    """

    timestamp: str = "timestamp"
    """Column of the time from which on the item has the value."""
    property: str = "property"
    """Column of the property's name."""
    value: str = "value"
    """Column of the value; an empty value means that the property has none from then on."""
    as_of: AwareDatetime | None = None
    """Values from this time on are not used: `2026-01-31T00:00:00Z`, with or without quotes; if
    absent, those from the beginning of the test split on. Required if `split.kind` has no such
    time (`last_item`, `random`, `files`)."""
