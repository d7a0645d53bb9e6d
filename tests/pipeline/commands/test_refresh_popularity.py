import math

import numpy as np
import pyarrow as pa
import pytest

from pipeline.commands.refresh_popularity import count_popularity
from schema import refresh_inputs
from trainer.data.popularity_forecast import create_window_forecast

DAY = 86_400
ITEMS = pa.array([b"x", b"y", b"new"], pa.large_binary())


def table(*events):
    rows = [
        dict(zip(refresh_inputs.RECENT_EVENTS_SCHEMA.names, event, strict=True)) for event in events
    ]
    return pa.Table.from_pylist(rows, schema=refresh_inputs.RECENT_EVENTS_SCHEMA)


def count(earlier, later, days=7.0):
    """With the popularity in one window of `days`."""
    return count_popularity(earlier, later, ITEMS, create_window_forecast(days, 0))


def log_of(*shares):
    """log(1 + votes), of 10,000 votes in all."""
    return pytest.approx([math.log(1 + 10_000 * share) for share in shares])


EARLIER = table(("ann", "x", DAY), ("ann", "y", 2 * DAY), ("bob", "x", 2 * DAY))


def test_each_user_shares_one_vote_among_the_items_of_the_window():
    later = table(("ann", "new", 3 * DAY), ("cid", "new", 3 * DAY))
    popularity = count(EARLIER, later)
    # ann consumed x, y and new, bob x, cid new: 4/3, 1/3 and 4/3 of three votes
    assert popularity.log_popularity == log_of(4 / 9, 1 / 9, 4 / 9)
    assert popularity.log_popularity.dtype == np.float32
    assert (popularity.added, popularity.now) == (2, 3 * DAY + 1)


def test_the_window_ends_with_the_last_event():
    """The window is one and a half days before day 3, after the events of day 1."""
    popularity = count(EARLIER, table(("cid", "new", 3 * DAY)), days=1.5)
    # ann consumed y, bob x, cid new
    assert popularity.log_popularity == log_of(1 / 3, 1 / 3, 1 / 3)
    assert popularity.recent.to_pylist() == [
        {"user_id": "bob", "item_id": "x", "timestamp": 2 * DAY},
        {"user_id": "ann", "item_id": "y", "timestamp": 2 * DAY},
        {"user_id": "cid", "item_id": "new", "timestamp": 3 * DAY},
    ]


def test_a_known_event_counts_once():
    again = pa.concat_tables([EARLIER, table(("ann", "new", 3 * DAY))])
    once = count(EARLIER, table(("ann", "new", 3 * DAY)))
    twice = count(EARLIER, again)
    assert twice.log_popularity.tolist() == once.log_popularity.tolist()
    assert twice.added == once.added == 1
    assert twice.recent.equals(once.recent)


def test_events_within_a_second_count_once_each_despite_repetition():
    twins = table(("ann", "x", DAY), ("ann", "x", DAY), ("ann", "y", DAY))
    popularity = count(twins, twins)
    assert popularity.log_popularity == log_of(2 / 3, 1 / 3, 0)
    assert popularity.added == 0
    grown = count(twins, table(*[("ann", "x", DAY)] * 3))
    assert grown.log_popularity == log_of(3 / 4, 1 / 4, 0)
    assert grown.added == 1


def test_one_event_in_the_far_future_does_not_change_popularity():
    hourly = table(*[(f"u{n}", "x" if n % 4 else "y", n * 3600) for n in range(48)])
    stray = ("ann", "y", 40_000 * DAY)
    later = table(("bob", "new", 2 * DAY))
    plain = count(hourly, later)
    popularity = count(hourly, pa.concat_tables([later, table(stray)]))
    # 36 users consumed x, 12 y and bob the new one
    assert popularity.log_popularity == log_of(36 / 49, 12 / 49, 1 / 49)
    assert (popularity.now, popularity.added, popularity.beyond) == (2 * DAY + 1, 1, 1)
    assert popularity.recent.equals(plain.recent)  # else the next refresh would begin in 2079


def test_time_does_not_precede_the_known_events():
    hourly = table(*[(f"u{n}", "x", n * 3600) for n in range(48)])
    events = pa.concat_tables([hourly, table(("ann", "y", 5 * DAY))])
    popularity = count(events, table())
    assert (popularity.now, popularity.added, popularity.beyond) == (5 * DAY + 1, 0, 0)


def test_events_from_before_the_window_are_neither_counted_nor_new():
    """For example if the whole log is passed, of which the version has only the last days."""
    later = table(("old", "y", 0), ("cid", "new", 3 * DAY))
    popularity = count(EARLIER, later, days=2.5)
    assert popularity.added == 1
    assert "old" not in popularity.recent["user_id"].to_pylist()


def test_an_item_outside_the_catalogue_gets_no_share_of_a_vote():
    later = table(("bob", "elsewhere", 3 * DAY))
    popularity = count(EARLIER, later)
    assert popularity.log_popularity == log_of(3 / 4, 1 / 4, 0)
    assert (popularity.added, popularity.now) == (0, 2 * DAY + 1)


def test_without_events_nothing_is_popular():
    popularity = count(table(), table())
    assert popularity.log_popularity.tolist() == [0, 0, 0]
    assert popularity.added == 0
