import math

import numpy as np
import pyarrow as pa
import pytest

from pipeline.commands.refresh_popularity import count_popularity
from schema import refresh_inputs

DAY = 86_400
ITEMS = pa.array([b"x", b"y", b"new"], pa.large_binary())


def table(*events):
    rows = [
        dict(zip(refresh_inputs.RECENT_EVENTS_SCHEMA.names, event, strict=True)) for event in events
    ]
    return pa.Table.from_pylist(rows, schema=refresh_inputs.RECENT_EVENTS_SCHEMA)


EARLIER = table(("ann", "x", DAY), ("ann", "y", 2 * DAY), ("bob", "x", 2 * DAY))


def test_each_user_shares_one_vote_among_the_items_of_the_window():
    later = table(("ann", "new", 3 * DAY), ("cid", "new", 3 * DAY))
    popularity = count_popularity(EARLIER, later, ITEMS, days=7)
    # ann consumed x, y and new, bob x, cid new
    votes = [1 / 3 + 1, 1 / 3, 1 / 3 + 1]
    assert popularity.log_popularity == pytest.approx([math.log(1 + v) for v in votes])
    assert popularity.log_popularity.dtype == np.float32
    assert (popularity.added, popularity.now) == (2, 3 * DAY + 1)


def test_the_window_ends_with_the_last_event():
    """The window is one and a half days before day 3, after the events of day 1."""
    popularity = count_popularity(EARLIER, table(("cid", "new", 3 * DAY)), ITEMS, days=1.5)
    # ann consumed y, bob x, cid new
    assert popularity.log_popularity == pytest.approx([math.log(2)] * 3)
    assert popularity.recent.to_pylist() == [
        {"user_id": "bob", "item_id": "x", "timestamp": 2 * DAY},
        {"user_id": "ann", "item_id": "y", "timestamp": 2 * DAY},
        {"user_id": "cid", "item_id": "new", "timestamp": 3 * DAY},
    ]


def test_a_known_event_counts_once():
    again = pa.concat_tables([EARLIER, table(("ann", "new", 3 * DAY))])
    once = count_popularity(EARLIER, table(("ann", "new", 3 * DAY)), ITEMS, days=7)
    twice = count_popularity(EARLIER, again, ITEMS, days=7)
    assert twice.log_popularity.tolist() == once.log_popularity.tolist()
    assert twice.added == once.added == 1
    assert twice.recent.equals(once.recent)


def test_events_within_a_second_count_once_each_despite_repetition():
    twins = table(("ann", "x", DAY), ("ann", "x", DAY), ("ann", "y", DAY))
    popularity = count_popularity(twins, twins, ITEMS, days=7)
    assert popularity.log_popularity == pytest.approx([math.log(1 + 2 / 3), math.log(1 + 1 / 3), 0])
    assert popularity.added == 0
    grown = count_popularity(twins, table(*[("ann", "x", DAY)] * 3), ITEMS, days=7)
    assert grown.log_popularity == pytest.approx([math.log(1 + 3 / 4), math.log(1 + 1 / 4), 0])
    assert grown.added == 1


def test_one_event_in_the_far_future_does_not_change_popularity():
    hourly = table(*[(f"u{n}", "x" if n % 4 else "y", n * 3600) for n in range(48)])
    stray = ("ann", "y", 40_000 * DAY)
    later = table(("bob", "new", 2 * DAY))
    plain = count_popularity(hourly, later, ITEMS, days=7)
    popularity = count_popularity(hourly, pa.concat_tables([later, table(stray)]), ITEMS, 7)
    # 36 users consumed x, 12 y and bob the new one
    assert popularity.log_popularity == pytest.approx([math.log(37), math.log(13), math.log(2)])
    assert (popularity.now, popularity.added, popularity.beyond) == (2 * DAY + 1, 1, 1)
    assert popularity.recent.equals(plain.recent)  # else the next refresh would begin in 2079


def test_time_does_not_precede_the_known_events():
    hourly = table(*[(f"u{n}", "x", n * 3600) for n in range(48)])
    events = pa.concat_tables([hourly, table(("ann", "y", 5 * DAY))])
    popularity = count_popularity(events, table(), ITEMS, days=7)
    assert (popularity.now, popularity.added, popularity.beyond) == (5 * DAY + 1, 0, 0)


def test_events_from_before_the_window_are_neither_counted_nor_new():
    """For example if the whole log is passed, of which the version has only the last days."""
    later = table(("old", "y", 0), ("cid", "new", 3 * DAY))
    popularity = count_popularity(EARLIER, later, ITEMS, days=2.5)
    assert popularity.added == 1
    assert "old" not in popularity.recent["user_id"].to_pylist()


def test_an_item_outside_the_catalogue_gets_no_share_of_a_vote():
    later = table(("bob", "elsewhere", 3 * DAY))
    popularity = count_popularity(EARLIER, later, ITEMS, days=7)
    assert popularity.log_popularity == pytest.approx([math.log(2.5), math.log(1.5), 0])
    assert (popularity.added, popularity.now) == (0, 2 * DAY + 1)


def test_without_events_nothing_is_popular():
    popularity = count_popularity(table(), table(), ITEMS, days=7)
    assert popularity.log_popularity.tolist() == [0, 0, 0]
    assert popularity.added == 0
