import numpy as np

from trainer.data.popularity import build_clock, compute_daily_snapshots, compute_snapshots

DAY = 86_400


def test_each_day_counts_its_window_and_the_first_knows_nothing(timelines_of):
    train = timelines_of([(b"a", 1, [1], [0], 0), (b"b", 2, [2, 1], [DAY, 2 * DAY], 0)])
    daily_snapshots = compute_daily_snapshots(build_clock([train], 3), window_days=2)
    assert daily_snapshots.moments.tolist() == [0, DAY, 2 * DAY]
    votes = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 1]])
    np.testing.assert_allclose(daily_snapshots.log_popularity, np.log(1 + votes), rtol=1e-6)


def test_without_times_one_snapshot_counts_all(timelines_of):
    train = timelines_of([(b"a", 1, [1], [0], 0), (b"b", 2, [2, 1], [0, 0], 0)])
    snapshots = compute_snapshots(build_clock([train], 3), np.array([1]), window_days=7)
    np.testing.assert_allclose(snapshots.log_popularity, np.log([[1, 2.5, 1.5]]), rtol=1e-6)


def test_one_event_of_another_age_makes_no_coarser_steps(timelines_of):
    hourly = [(b"a", 1, [1] * 40, [DAY * 9000 + 3600 * n for n in range(40)], 0)]
    strays = [(b"b", 2, [1], [DAY * 7000], 0), (b"c", 3, [1], [DAY * 40_000], 0)]
    daily_snapshots = compute_daily_snapshots(
        build_clock([timelines_of(hourly + strays)], 2), window_days=7
    )
    assert daily_snapshots.moments.tolist() == [9000 * DAY, 9001 * DAY]
    # user a has one vote
    np.testing.assert_allclose(daily_snapshots.log_popularity[:, 1], np.log([1, 2]), rtol=1e-6)


def test_a_long_log_has_the_maximum_number(timelines_of):
    train = timelines_of([(b"a", 1, [1, 1], [0, 10 * DAY - 1], 0)])
    daily_snapshots = compute_daily_snapshots(build_clock([train], 2), window_days=7, most=4)
    assert daily_snapshots.moments.tolist() == [0, 2.5 * DAY, 5 * DAY, 7.5 * DAY]
    np.testing.assert_allclose(
        daily_snapshots.log_popularity[:, 1], np.log([1, 2, 2, 1]), rtol=1e-6
    )
