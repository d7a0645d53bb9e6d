"""Popularity counters on six events."""

from benchmarks.quality import peers

EVENTS = [
    {"user_id": user, "item_id": item, "timestamp": time}
    for user, item, time in [
        ("u", "old", 10), ("v", "old", 11), ("w", "old", 12),
        ("u", "both", 13), ("w", "both", 20), ("w", "late", 20),
    ]
]  # fmt: skip
CATALOGUE = ["never", "late", "both", "old"]


def _lists(since):
    rows = peers.rank_popular(EVENTS, CATALOGUE, ["new", "u"], since)
    return {row["user_id"]: row["item_ids"] for row in rows}


def test_all_time_popularity_without_the_user_s_items():
    assert _lists(None) == {"new": ["old", "both", "late", "never"], "u": ["late", "never"]}


def test_ties_in_the_window_are_ordered_by_all_time():
    assert _lists(20)["new"] == ["both", "late", "old", "never"]


def test_an_event_at_the_beginning_of_the_window_counts():
    assert _lists(13)["new"] == ["both", "late", "old", "never"]
    assert _lists(12)["new"] == ["both", "old", "late", "never"]


def test_lists_end_at_their_depth():
    catalogue = [f"i{n}" for n in range(peers.DEPTH + 5)]
    (row,) = peers.rank_popular([], catalogue, ["u"], None)
    assert row["item_ids"] == catalogue[: peers.DEPTH]
