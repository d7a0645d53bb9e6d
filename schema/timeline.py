"""Names of the fields of timeline Examples and catalogue Examples.

A timeline Example holds one user's events in time order, or a window of them; where events have
their own split, those of train come first, then those of valid and of test:

    user_id        bytes, 1 value
    item_ids       bytes, n values
    timestamps     int64, n values, seconds since epoch, UTC
    positive       int64, n values, 1 where the event is a positive example
    shown          bytes, the items that were shown with the events of the split and not clicked,
                   of one event after another; only if the log has impressions
    shown_counts   int64, n values, the number of these items for each event; 0 in the history
    weight         float, n values, the event's weight in the losses; only if `labels` has weights
    target_from    int64, 1 value: events from this position on belong to the split;
                   earlier ones are history, an input that the loss does not include
    label_<name>   float, n values, NaN where the log has no value
    context_<name> n values; "", NaN or 0 where an event has none
    user_<name>    1 value or none; any number for sets

A catalogue Example holds one item: `item_id`, `title` (shown to people), `item_<name>` and, if the
catalogue has such a column, `available` (int64, 1 value, 1 if the item may be recommended). Its
transformed Example also has `filters`, the values of the feature that requests can filter by.
"""

USER_ID = "user_id"
ITEM_IDS = "item_ids"
TIMESTAMPS = "timestamps"
POSITIVE = "positive"
WEIGHT = "weight"
SHOWN = "shown"
SHOWN_COUNTS = "shown_counts"
TARGET_FROM = "target_from"
TEST_FROM = "test_from"
"""Field of a user's history: int64, 1 value, the number of events before the test split."""
ITEM_ID = "item_id"
TITLE = "title"
AVAILABLE = "available"
FILTERS = "filters"

NO_TIME = 946_684_800
"""Time of events without times, and of the last event of a sequence: the beginning of the year
2000, UTC."""
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
