import numpy as np
import pytest

from trainer.config.models import RetrievalConfig
from trainer.data.popularity import SECONDS_PER_DAY as DAY
from trainer.data.popularity import build_clock
from trainer.data.popularity_forecast import ItemPopularity, create_window_forecast
from trainer.ranking.inputs import RetrievalState


@pytest.fixture
def log(timelines_of):
    """`a` consumes 1 on day 0 and 2 on day 1; `b` dislikes 1 and consumes it on day 1."""
    return timelines_of(
        [(b"a", 1, [1, 2], [10, DAY + 10], 0), (b"b", 2, [1, 1], [DAY + 5, DAY + 20], 0)],
        positive=[1, 1, 0, 1],
    )


def _state(log, **changes):
    def encode(batch):
        return np.cumsum(np.ones_like(batch["item_index"], float), axis=1)[..., np.newaxis]

    popularity = ItemPopularity(build_clock([log], 3), create_window_forecast(9, 0))
    return RetrievalState(
        encode, np.zeros((3, 1)), popularity.compute_log, RetrievalConfig(), **changes
    )


def test_an_event_sees_the_popularity_of_its_days_beginning(log):
    times = np.array([10, DAY + 5, DAY + 10, 2 * DAY])
    result = [(part, np.expm1(present)) for part, present in _state(log).days(times)]
    assert [part for part, _ in result] == [slice(0, 1), slice(1, 3), slice(3, 4)]
    # on day 2 the vote of `a` is shared by two items, and `b` consumed 1
    expected = [[0, 0, 0], [0, 10_000, 0], [0, 7_500, 2_500]]
    np.testing.assert_allclose([present for _, present in result], expected, rtol=1e-5)


def test_one_moment_for_all(log):
    state = _state(log, popular_at=DAY, has_clock=False)
    times = np.array([0, 10, 5 * DAY])
    ((part, present),) = state.days(times)
    assert part == slice(0, 3)
    np.testing.assert_allclose(np.expm1(present), [0, 10_000, 0], rtol=1e-5)
    assert state.now(times).tolist() == [DAY] * 3
    assert _state(log).now(times).tolist() == times.tolist()


def test_no_event_has_no_day(log):
    assert list(_state(log).days(np.zeros(0, np.int64))) == []


def test_every_own_event_has_a_query_positive_or_not(log):
    assert _state(log).encode_events(log)[:, 0].tolist() == [1, 2, 1, 2]
