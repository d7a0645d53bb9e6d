import numpy as np

from trainer.data.popularity import build_clock, list_daily_moments
from trainer.data.popularity_forecast import ItemPopularity, create_window_forecast

DAY = 86_400


def _compute_snapshots(train, days, moments=None):
    """Of the popularity in one window of `days`."""
    clock = build_clock([train], 3)
    popularity = ItemPopularity(clock, create_window_forecast(days, 0))
    return popularity.daily_snapshots if moments is None else popularity.compute_snapshots(moments)


def test_each_day_counts_its_window_and_the_first_knows_nothing(timelines_of):
    train = timelines_of([(b"a", 1, [1], [0], 0), (b"b", 2, [2, 1], [DAY, 2 * DAY], 0)])
    snapshots = _compute_snapshots(train, days=2)
    assert snapshots.moments.tolist() == [0, DAY, 2 * DAY]
    votes = np.array([[0, 0, 0], [0, 10_000, 0], [0, 5_000, 5_000]])  # out of 10,000
    np.testing.assert_allclose(snapshots.log_popularity, np.log(1 + votes), rtol=1e-6)
    assert snapshots.log_popularity.dtype == np.float32


def test_without_times_one_snapshot_counts_all(timelines_of):
    """`a` consumed item 1, `b` items 1 and 2: three quarters of the votes, and one quarter."""
    train = timelines_of([(b"a", 1, [1], [0], 0), (b"b", 2, [2, 1], [0, 0], 0)])
    snapshots = _compute_snapshots(train, days=7, moments=np.array([1]))
    np.testing.assert_allclose(snapshots.log_popularity, np.log([[1, 7501, 2501]]), rtol=1e-6)


def test_one_event_of_another_age_makes_no_coarser_steps(timelines_of):
    hourly = [(b"a", 1, [1] * 40, [DAY * 9000 + 3600 * n for n in range(40)], 0)]
    strays = [(b"b", 2, [1], [DAY * 7000], 0), (b"c", 3, [1], [DAY * 40_000], 0)]
    snapshots = _compute_snapshots(timelines_of(hourly + strays), days=7)
    assert snapshots.moments.tolist() == [9000 * DAY, 9001 * DAY]
    np.testing.assert_allclose(snapshots.log_popularity[:, 1], np.log([1, 10_001]), rtol=1e-6)


def test_a_long_log_has_the_maximum_number(timelines_of):
    train = timelines_of([(b"a", 1, [1, 1], [0, 10 * DAY - 1], 0)])
    moments = list_daily_moments(build_clock([train], 2), most=4)
    assert moments.tolist() == [0, 2.5 * DAY, 5 * DAY, 7.5 * DAY]
