"""The forecast from hand-made events, with weights that can be computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.errors import UsageError
from trainer.data.popularity import SECONDS_PER_DAY as DAY
from trainer.data.popularity import PopularityClock
from trainer.data.popularity_forecast import (
    WINDOWS,
    DenseLayer,
    PopularityForecast,
    create_window_forecast,
    list_windows,
    load_forecast,
    measure_windows,
    save_forecast,
)

ITEMS = 5
NOW = 200 * DAY


def _build_clock(events):
    """`events` are (days before NOW, item, user)."""
    ordered = sorted(events, key=lambda event: -event[0])
    times = np.array([NOW - round(days * DAY) for days, *_ in ordered], np.int64)
    items = np.array([item for _, item, _ in ordered], np.int32)
    users = np.array([user for *_, user in ordered], np.int64)
    return PopularityClock(times, items, users, ITEMS + 1)


def _draw_forecast(seed):
    rng = np.random.default_rng(seed)
    layers = [
        DenseLayer(kernel=rng.normal(size=shape).tolist(), bias=rng.normal(size=shape[1]).tolist())
        for shape in ((WINDOWS, 3), (3, 1))
    ]
    mean, scale = rng.normal(size=WINDOWS), 1 + rng.random(WINDOWS)
    return PopularityForecast(days=112, mean=mean.tolist(), scale=scale.tolist(), layers=layers)


EVENTS = [(100, 1, 1), (20, 1, 2), (20, 2, 2), (5, 3, 3), (0.5, 3, 4), (0.5, 1, 5)]
events_of_users = st.lists(
    st.tuples(st.floats(0.01, 150), st.integers(1, ITEMS), st.integers(0, 6)), max_size=30
)


def test_each_window_is_half_as_long_as_the_one_before():
    assert list_windows(112) == [112, 56, 28, 14, 7, 3.5, 1.75, 0.875]


def test_windows_are_shares_of_ten_thousand_votes():
    """Item 1 has 1 + 1/2 + 1 of five votes in all, and one of two votes in the last day."""
    windows = measure_windows(_build_clock(EVENTS), NOW, 112)
    assert windows.shape == (ITEMS + 1, WINDOWS)
    log = math.log
    assert windows[1, 0] == pytest.approx(log(1 + 10_000 * 2.5 / 5))
    assert windows[2, 0] == pytest.approx(log(1 + 10_000 * 0.5 / 5))
    assert windows[1, 4] == pytest.approx(log(1 + 10_000 / 3))  # of users 3, 4 and 5
    assert windows[:, -1] == pytest.approx([0, log(5001), 0, log(5001), 0, 0])


def test_a_window_forecast_is_the_popularity_in_that_window():
    result = create_window_forecast(112, 4).predict(_build_clock(EVENTS), NOW)
    shares = np.array([0, 1 / 3, 0, 2 / 3, 0, 0])
    assert result == pytest.approx(np.log(1 + 10_000 * shares), rel=1e-6)
    assert result.dtype == np.float32


def test_a_network_by_hand():
    """Two units: relu(x0 - 1) and relu(1 - x0), of x0 = (longest window - 2) / 4; then 3 times the
    first less the second, plus 7. Without events x0 is -1/2, and the result 7 - 1.5 = 5.5.
    """
    zeros = [[0.0, 0.0]] * (WINDOWS - 1)
    forecast = PopularityForecast(
        days=112,
        mean=[2.0] * WINDOWS,
        scale=[4.0] * WINDOWS,
        layers=[
            DenseLayer(kernel=[[1.0, -1.0], *zeros], bias=[-1.0, 1.0]),
            DenseLayer(kernel=[[3.0], [-1.0]], bias=[7.0]),
        ],
    )
    result = forecast.predict(_build_clock([(100, 1, 1), (20, 1, 2), (20, 2, 3)]), NOW)
    values = [(math.log(1 + 10_000 * share) - 2) / 4 for share in (2 / 3, 1 / 3)]
    assert min(values) > 1
    expected = [3 * (value - 1) + 7 - 5.5 for value in values]
    assert result == pytest.approx([0, *expected, 0, 0, 0], rel=1e-5)


@settings(max_examples=50)
@given(seed=st.integers(0, 1000), events=events_of_users)
def test_an_item_without_events_is_zero(seed, events):
    recent = {item for days, item, _ in events if round(days * DAY) <= 112 * DAY}
    result = _draw_forecast(seed).predict(_build_clock(events), NOW)
    assert [result[item] for item in range(ITEMS + 1) if item not in recent] == [0] * (
        ITEMS + 1 - len(recent)
    )
    assert np.isfinite(result).all()


@settings(max_examples=50)
@given(seed=st.integers(0, 1000), events=events_of_users)
def test_twice_as_many_users_of_the_same_habits_change_nothing(seed, events):
    forecast = _draw_forecast(seed)
    doubled = events + [(days, item, user + 100) for days, item, user in events]
    once, twice = (forecast.predict(_build_clock(log), NOW) for log in (events, doubled))
    np.testing.assert_allclose(twice, once, atol=1e-4)


@settings(max_examples=50)
@given(seed=st.integers(0, 1000), events=events_of_users)
def test_no_event_at_or_after_the_moment_matters(seed, events):
    later = [(0, 1, 1), (-1 / DAY, 2, 2), (-30, 3, 3)]
    forecast = _draw_forecast(seed)
    before, after = (
        forecast.predict(_build_clock(log), NOW).tolist() for log in (events, events + later)
    )
    assert before == after


def test_a_saved_forecast_predicts_the_same(tmp_path):
    forecast, clock = _draw_forecast(5), _build_clock(EVENTS)
    save_forecast(forecast, str(tmp_path / "candidates"))
    loaded = load_forecast(str(tmp_path / "candidates"))
    assert loaded == forecast
    assert loaded.predict(clock, NOW).tolist() == forecast.predict(clock, NOW).tolist()


def test_a_version_of_an_older_tandem_is_named(tmp_path):
    with pytest.raises(UsageError, match="pushed by an older Tandem; train and push again"):
        load_forecast(str(tmp_path))
