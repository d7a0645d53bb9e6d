import numpy as np
import pytest

from trainer.data.popularity import SECONDS_PER_DAY as DAY
from trainer.data.popularity import PopularityClock
from trainer.data.popularity_forecast import WINDOWS
from trainer.retrieval.forecast_examples import build_examples, draw_items


def _build_clock(events):
    """`events` are (day, item), each of a user of its own."""
    times = np.array([round(day * DAY) for day, _ in events], np.int64)
    items = np.array([item for _, item in events], np.int32)
    return PopularityClock(times, items, np.arange(len(events)), 6)


def test_each_day_has_the_votes_before_it_and_after_it():
    """The bulk ends a second after day 3; the moments are two days, one day and a day before."""
    clock = _build_clock([(0, 1), (0.5, 2), (1.5, 1), (2.5, 3), (3, 1)])
    examples = build_examples(clock, days=1, horizon=2, seed=1)
    assert examples.moments.tolist() == [1, DAY + 1, 2 * DAY + 1]
    # day 1: items 1 and 2 were consumed before it, 1 and 3 after it; 4 and 5 have no row
    assert examples.votes[1].tolist() == [2, 1, 0, 0]
    assert np.exp(examples.log_weight[1]) == pytest.approx([1, 1, 1, 2])
    present = examples.windows[1, :, 0]
    assert present == pytest.approx([0, 0, np.log(10_001), 0], rel=1e-5)
    # day 2: items 3 and 1 after it
    assert examples.votes[2].tolist() == [1, 1, 0, 0]
    assert np.exp(examples.log_weight[2]) == pytest.approx([1, 1, 3, 0])


def test_a_log_of_hours_has_no_example():
    examples = build_examples(_build_clock([(0, 1), (0.2, 2)]), days=7, horizon=1, seed=1)
    assert examples.windows.shape == (0, 0, WINDOWS)


def test_a_moment_has_no_vote_after_the_horizon():
    clock = _build_clock([(0, 1), (0.9, 2), (2, 3), (4, 4)])
    examples = build_examples(clock, days=7, horizon=1, seed=1)
    assert examples.moments.tolist() == [1, DAY + 1, 2 * DAY + 1, 3 * DAY + 1]
    assert examples.votes.sum(axis=1).tolist() == [1, 1, 0, 1]


SIZE = 41


def _plant():
    """Items 1 to 30 had events; 21 to 34 have votes; 35 to 40 have neither."""
    windows = np.zeros((SIZE, WINDOWS))
    windows[1:31] = np.arange(1, 31)[:, np.newaxis]
    votes = np.zeros(SIZE)
    votes[21:35] = np.arange(14, 0, -1)
    return windows, votes


def test_a_small_catalogue_is_used_completely():
    windows, votes = _plant()
    rows = draw_items(windows, votes, np.random.default_rng(1))
    assert rows.windows.shape == (35, WINDOWS)
    assert rows.votes[:14].tolist() == list(range(14, 0, -1))
    assert rows.windows[14:34, 0].tolist() == list(range(1, 21))  # equal votes, in their order
    assert rows.weight.tolist() == [1] * 34 + [6]
    assert (rows.windows[-1].tolist(), rows.votes[-1]) == ([0] * WINDOWS, 0)


@pytest.mark.parametrize("most", [30, 16])
def test_of_a_large_catalogue_the_sums_are_right_on_average(most):
    """With 30 rows all items with votes have their own; with 16 only eight of them have."""
    windows, votes = _plant()
    drawn = [draw_items(windows, votes, np.random.default_rng(n), most) for n in range(2000)]
    assert {len(rows.votes) for rows in drawn} == {most + 1}
    for rows in drawn[:50]:
        assert rows.votes[:8].tolist() == list(range(14, 6, -1))
        assert rows.weight[:8].tolist() == [1] * 8
        assert rows.weight.sum() == pytest.approx(40)
        items = rows.windows[rows.windows[:, 0] > 0, 0]
        assert len(set(items)) == len(items)
    total = np.mean([rows.votes.sum() for rows in drawn])
    assert total == pytest.approx(votes.sum(), rel=0.03)
    features = np.mean([(rows.weight * rows.windows[:, 0]).sum() for rows in drawn])
    assert features == pytest.approx(windows[:, 0].sum(), rel=0.03)


def test_a_catalogue_without_other_items_leaves_room_for_a_new_one():
    windows, votes = _plant()
    rows = draw_items(windows[:35], votes[:35], np.random.default_rng(1))
    assert rows.weight[-1] == 1
