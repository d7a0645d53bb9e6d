import pytest

from trainer.data.popularity import build_clock

DAY = 86_400


@pytest.fixture
def clock(timelines_of):
    """Item 1 at days 0, 1 and 3, item 2 at day 2; item 3 only viewed, and one unknown item."""
    train = timelines_of(
        [(b"a", 1, [1, 2, 3], [0, 2 * DAY, 2 * DAY], 0), (b"b", 2, [1], [DAY], 0)],
        positive=[True, True, False, True],
    )
    valid = timelines_of([(b"a", 1, [1, 2, 1, 0], [0, 2 * DAY, 3 * DAY, 3 * DAY], 2)])
    return build_clock([train, valid], 4)


def test_history_of_a_later_split_is_not_counted_again(clock):
    assert clock.timestamps.tolist() == [0, DAY, 2 * DAY, 3 * DAY]
    assert clock.item_index.tolist() == [1, 1, 2, 1]
    assert clock.counts(4 * DAY).tolist() == [0, 3, 1, 0]


def test_an_event_at_the_moment_itself_is_not_counted(clock):
    assert clock.counts(3 * DAY).tolist() == [0, 2, 1, 0]
    assert clock.counts(3 * DAY + 1).tolist() == [0, 3, 1, 0]
    assert clock.counts(0).tolist() == [0, 0, 0, 0]


def test_a_window_begins_exactly_its_days_before(clock):
    assert clock.counts(2 * DAY, days=1).tolist() == [0, 1, 0, 0]
    assert clock.counts(2 * DAY + 1, days=1).tolist() == [0, 0, 1, 0]
    assert clock.counts(2 * DAY, days=0.5).tolist() == [0, 0, 0, 0]
    assert clock.counts(3 * DAY + 1, days=1.5).tolist() == [0, 1, 1, 0]


def test_at_the_end_of_its_bulk_everything_is_known(clock):
    assert clock.bulk == (0, 3 * DAY + 1)
    assert clock.counts(clock.bulk.end).sum() == 4
    assert clock.counts().sum() == 4


def test_a_user_has_one_vote_regardless_of_activity(timelines_of):
    train = timelines_of(
        [(b"a", 1, [1, 2, 3, 3], [0, DAY, DAY, 2 * DAY], 0), (b"b", 2, [3], [DAY], 0)]
    )
    valid = timelines_of([(b"b", 2, [3, 2], [DAY, 2 * DAY], 1)])
    clock = build_clock([train, valid], 4)
    # from day 1 on: a consumed 2, 3, 3 and b consumed 3, 2
    third = 1 / 3
    assert clock.votes(3 * DAY, 2) == pytest.approx([0, 0, third + 1 / 2, 2 * third + 1 / 2])
    # in one day: a consumed 3, b consumed 2
    assert clock.votes(3 * DAY, 1) == pytest.approx([0, 0, 1, 1])


def test_votes_between_two_moments(clock):
    """From day 1 until just before day 3: `b` consumed 1, `a` consumed 2."""
    assert clock.votes_between(DAY, 3 * DAY).tolist() == [0, 1, 1, 0]
    assert clock.votes_between(DAY, DAY).tolist() == [0, 0, 0, 0]
    # until after day 3, `a` shares its vote between 2 and 1
    assert clock.votes_between(DAY, 3 * DAY + 1).tolist() == [0, 1.5, 0.5, 0]
