import numpy as np

from trainer.data.timelines import split_halves


def test_halves_share_the_positive_events_by_time(timelines_of):
    planted = timelines_of(
        [(b"a", 1, [1, 2, 3, 4], [1, 10, 30, 40], 1), (b"b", 2, [5, 6], [20, 50], 0)],
        positive=[1, 1, 0, 1, 1, 1],
    )
    earlier, later = split_halves(planted)  # the median of 10, 20, 30, 40 and 50 is 30
    assert (earlier.own & earlier.positive).tolist() == [0, 1, 0, 0, 1, 0]
    assert (later.own & later.positive).tolist() == [0, 0, 0, 1, 0, 1]
    assert later.target_from.tolist() == [2, 1]


def test_without_a_clock_every_second_timeline_is_held_out(timelines_of):
    split = timelines_of(
        [(b"a", 1, [1, 2], [3, 9], 1), (b"b", 2, [2, 3], [4, 9], 1), (b"c", 3, [1], [9], 0)]
    )
    for learned, held_out in (split_halves(split), split_halves(split, has_clock=False)):
        assert learned.item_index[learned.own & learned.positive].tolist() == [2, 1]
        assert held_out.item_index[held_out.own & held_out.positive].tolist() == [3]


def test_positions_in_a_sequence_are_no_times(timelines_of):
    """By time the two short sequences would be the earlier half."""
    split = timelines_of(
        [
            (b"a", 1, [1, 2], [0, 1], 1),
            (b"b", 2, [1, 3], [0, 1], 1),
            (b"c", 3, [1, 2, 4], [0, 1, 2], 2),
            (b"d", 4, [1, 2, 5], [0, 1, 2], 2),
        ],
        labels={"rating": range(10)},
    )
    learned, held_out = split_halves(split, has_clock=False)
    assert learned.item_index[learned.own & learned.positive].tolist() == [2, 4]
    assert held_out.item_index[held_out.own & held_out.positive].tolist() == [3, 5]
    assert learned.labels["rating"][learned.own].tolist()[::2] == [1, 6]
    assert np.isnan(learned.labels["rating"][learned.own][1::2]).all()
