import numpy as np

from trainer import popularity, refreshes

DAY = 86_400


def test_each_refresh_counts_its_window_and_the_first_knows_nothing(timelines_of):
    train = timelines_of([(b"a", 1, [1, 2, 1, 3], [0, DAY, 2 * DAY, 5 * DAY], 0)])
    found = refreshes.every(popularity.clock([train], 4), interval_days=2, window_days=3)
    assert found.moments.tolist() == [0, 2 * DAY, 4 * DAY]
    counts = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0]])
    np.testing.assert_allclose(found.log_popularity, np.log(1 + counts), rtol=1e-6)


def test_an_event_at_the_moment_of_a_refresh_is_not_in_it(timelines_of):
    train = timelines_of([(b"a", 1, [1, 1], [0, DAY], 0)])
    found = refreshes.every(popularity.clock([train], 2), interval_days=1, window_days=7)
    assert found.moments.tolist() == [0, DAY]
    np.testing.assert_allclose(found.log_popularity[1], [0, np.log(2)], rtol=1e-6)
