import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.propensities import count_impressions
from trainer.data.shown_items import ShownItems


def show(timelines, lists):
    """The timelines with one list of items that were shown and not clicked for each event."""
    splits = np.concatenate([[0], np.cumsum([len(items) for items in lists])]).astype(np.int64)
    items = np.array([item for each in lists for item in each], np.int32)
    return dataclasses.replace(timelines, shown=ShownItems(items, splits))


def count(splits, size):
    """Counts that exist."""
    counted = count_impressions(splits, size)
    assert counted is not None
    return counted


def test_propensities_by_hand(timelines_of):
    log = timelines_of([(b"a", 1, [1, 2], [10, 20], 0), (b"b", 2, [1], [10], 0)])
    counted = count([show(log, [[2, 3], [3, 0], [3]])], 6)
    assert counted.impressions == 3
    assert counted.shown.tolist() == [0, 2, 2, 3, 0, 0]
    # the fourth and fifth item were never shown
    assert counted.values.tolist() == pytest.approx([1 / 5, 3 / 5, 3 / 5, 4 / 5, 1 / 5, 1 / 5])


def test_an_impression_with_several_clicks_counts_once_in_windows_and_splits(timelines_of):
    clicks = timelines_of([(b"a", 1, [1, 2], [10, 10], 0), (b"a", 1, [1, 2, 3], [10, 10, 10], 2)])
    train = show(clicks, [[5, 6], [5, 6], [], [], [5, 6]])
    valid = show(timelines_of([(b"a", 1, [4], [10], 0)]), [[5, 6]])
    counted = count([train, valid], 7)
    assert counted.impressions == 1
    assert counted.shown.tolist() == [0, 1, 1, 1, 1, 1, 1]


def test_another_user_time_or_list_is_another_impression(timelines_of):
    rows = [(b"a", 1, [1, 2, 3, 4], [10, 10, 10, 11], 0), (b"b", 2, [1], [10], 0)]
    lists = [[5, 6], [6, 5], [5, 6, 5], [5, 6], [5, 6]]
    counted = count([show(timelines_of(rows), lists)], 7)
    assert counted.impressions == 5
    assert counted.shown[[5, 6]].tolist() == [5, 5]  # once where the list repeats it


def test_events_without_other_shown_items_are_no_impressions(timelines_of):
    log = timelines_of([(b"a", 1, [1, 2], [10, 20], 0)])
    counted = count([show(log, [[], [3]]), log], 4)
    assert (counted.impressions, counted.shown.tolist()) == (1, [0, 0, 1, 1])
    assert count_impressions([show(log, [[], []])], 4) is None
    assert count_impressions([log], 4) is None


impressions = st.tuples(
    st.integers(0, 2), st.integers(0, 1), st.sets(st.integers(1, 6), min_size=2), st.integers(1, 3)
)


@given(st.lists(impressions, min_size=1, max_size=12))
def test_counts_are_those_of_the_impressions_before_they_were_expanded(timelines_of, planted):
    """Each impression (user, time, items, clicks) becomes an event for each click."""
    rows, lists, truth = {}, {}, set()
    for user, time, items, clicks in planted:
        ordered = sorted(items)
        clicked = ordered[: min(clicks, len(ordered) - 1)]
        others = tuple(ordered[len(clicked) :])
        truth.add((user, time, others))
        for item in clicked:
            rows.setdefault(user, []).append((item, time))
            lists.setdefault(user, []).append(others)
    timelines = timelines_of(
        [(b"%d" % u, u, [i for i, _ in row], [t for _, t in row], 0) for u, row in rows.items()]
    )
    counted = count([show(timelines, [each for user in rows for each in lists[user]])], 7)
    assert counted.impressions == len(truth)
    clicked_or_not = {
        (user, time, others, item)
        for user, row in rows.items()
        for (clicked, time), others in zip(row, lists[user], strict=True)
        for item in (clicked, *others)
    }
    expected = [sum(item == each[3] for each in clicked_or_not) for item in range(7)]
    assert counted.shown.tolist() == expected
