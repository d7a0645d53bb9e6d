"""Tables of tiny logs, by hand."""

import numpy as np
import pytest

from trainer.data.popularity import PopularityClock
from trainer.data.transition_table import NO_ITEM, WIDTH, build_transition_table


def table_of(events, size):
    """Rows as {item: strength}; `events` are (user, item), one second apart, from second 0 on."""
    user, item = (np.array(column) for column in zip(*events, strict=True))
    table = build_transition_table(
        PopularityClock(np.arange(len(events)), item.astype(np.int32), user, size)
    )
    assert table.items.shape == table.strengths.shape == (size, WIDTH)
    assert (table.items.dtype, table.strengths.dtype) == (np.int32, np.float32)
    assert (np.diff(table.items.astype(np.int64), axis=1) >= 0).all()
    assert (table.strengths[table.items == NO_ITEM] == 0).all()
    return [
        dict(zip(items[items < NO_ITEM].tolist(), strengths.tolist(), strict=False))
        for items, strengths in zip(table.items, table.strengths, strict=True)
    ]


def test_strengths_by_hand():
    """User 0 consumes 3, then 1; user 1 consumes 1, then 2. The last event counts too."""
    rows = table_of([(0, 3), (0, 1), (1, 1), (1, 2)], 5)
    assert rows[0] == rows[4] == {}
    assert rows[3] == pytest.approx({1: 2**-0.15})
    assert rows[1] == pytest.approx({2: 2**-0.5, 3: 0.1 * 2**-0.5})
    assert rows[2] == pytest.approx({1: 0.1 * 2**-0.15})


def test_the_strongest_are_chosen_and_ordered_by_item():
    """Item 1 leads to `WIDTH` + 10 items, to the last 10 of them twice; the lower index wins
    ties.
    """
    last = WIDTH + 12
    followers = [*range(2, last), *range(last - 10, last)]
    events = [event for user, item in enumerate(followers) for event in ((user, 1), (user, item))]
    rows = table_of(events, last)
    assert list(rows[1]) == [*range(2, WIDTH - 8), *range(last - 10, last)]


def test_a_clock_without_events_gives_an_empty_table():
    none = np.zeros(0, np.int32)
    table = build_transition_table(PopularityClock(none, none, none, 3))
    assert (table.items == NO_ITEM).all()
    assert table.items.shape == (3, WIDTH)
