"""Names of what a timeline Example and a catalogue Example hold.

A timeline Example is one user's events in time order, or a window of them:

    user_id        bytes, 1 value
    item_ids       bytes, n values
    timestamps     int64, n values, seconds since epoch, UTC
    positive       int64, n values, 1 where the event is a positive example
    target_from    int64, 1 value: events from this position on belong to the split,
                   what stands before it is history, to be read and not learned from
    label_<name>   float, n values, NaN where the log has no value
    context_<name> n values; "", NaN or 0 where an event has none
    user_<name>    1 value or none; any number for sets

A catalogue Example is one item: `item_id`, `title` (what is shown to people), `item_<name>`, and,
where the catalogue says it, `available` (int64, 1 value, 1 where the item may be recommended). Its
transformed Example has `filters`, the texts of the feature that requests may be filtered by.
"""

USER_ID = "user_id"
ITEM_IDS = "item_ids"
TIMESTAMPS = "timestamps"
POSITIVE = "positive"
TARGET_FROM = "target_from"
ITEM_ID = "item_id"
TITLE = "title"
AVAILABLE = "available"
FILTERS = "filters"

SPLITS = ("train", "valid", "test")
CATALOGUE_SPLIT = "all"


def name_label(name: str) -> str:
    """Field of a ranking label."""
    return f"label_{name}"


def name_context(name: str) -> str:
    """Field of an event feature."""
    return f"context_{name}"


def name_user_feature(name: str) -> str:
    """Field of a user feature."""
    return f"user_{name}"


def name_item_feature(name: str) -> str:
    """Field of an item feature."""
    return f"item_{name}"
