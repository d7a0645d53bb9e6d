"""The learned forecast, on logs in which it is planted what popularity follows from."""

import numpy as np
import pytest

from tests.trainer import planted_days
from trainer.data.popularity import SECONDS_PER_DAY as DAY
from trainer.data.popularity import PopularityClock
from trainer.data.popularity_forecast import WINDOWS, create_window_forecast
from trainer.retrieval.forecast import fit_forecast, learn_forecast, measure_forecasts
from trainer.retrieval.forecast_examples import build_examples

DAYS, LEARNED, LONGEST = 140, 100, 32
LATER = np.arange(LEARNED, DAYS - 5) * DAY
"""Moments after the events that the forecast is learned from."""


def _measure(log, horizon):
    """DCG@10 after the learned days: of the forecast, and of each window."""
    forecast = fit_forecast(planted_days.limit(log, LEARNED), LONGEST, horizon, seed=1)
    windows = [create_window_forecast(LONGEST, number) for number in range(WINDOWS)]
    quality = measure_forecasts([forecast, *windows], log, LATER, horizon)
    return quality[0], quality[1:]


def test_where_fashions_change_daily_it_follows_the_last_day():
    log = planted_days.build_clock(planted_days.plant_fashions(DAYS))
    learned, windows = _measure(log, horizon=1)
    assert np.argmax(windows) == 5  # the window of one day
    assert learned > 0.98 * windows[5]
    assert learned > 2 * windows[1]


def test_where_days_are_noise_it_follows_the_month():
    log = planted_days.build_clock(planted_days.plant_constant(DAYS))
    learned, windows = _measure(log, horizon=5)
    assert np.argmax(windows) == 0
    assert learned > 0.98 * windows[0]
    assert learned > 1.5 * windows[5]


def test_where_items_rise_it_is_better_than_any_window():
    log = planted_days.build_clock(planted_days.plant_careers(DAYS))
    learned, windows = _measure(log, horizon=3)
    assert learned > 1.2 * max(windows)


def test_the_list_of_a_rising_item_and_a_falling_one():
    """Both have the same votes in the last 32 days; the rising one has them in the last two."""
    log = planted_days.build_clock(planted_days.plant_careers(DAYS))
    forecast = fit_forecast(planted_days.limit(log, LEARNED), LONGEST, 3, seed=1)
    rates = np.ones((40, 3))
    rates[38:, 0] = 50, 150
    rates[9:11, 1] = 150, 50
    _, rising, falling, _ = forecast.predict(planted_days.build_clock(rates), 40 * DAY)
    assert rising > falling


def test_the_same_seed_gives_the_same_forecast():
    log = planted_days.build_clock(planted_days.plant_careers(40))
    one, other, third = (fit_forecast(log, LONGEST, 3, seed) for seed in (1, 1, 2))
    assert len(one.layers) == 2
    assert one == other
    assert one != third


def _spread(hours):
    """Two items, the second with the more events, all within the hours."""
    times = np.linspace(0, hours * 3600 - 1, 90).astype(np.int64)
    return PopularityClock(times, np.tile([1, 2, 2], 30).astype(np.int32), np.arange(90), 3)


def test_a_log_of_a_few_hours_has_the_window_of_a_week():
    forecast = fit_forecast(_spread(hours=5), days=112, horizon=5, seed=1)
    assert forecast == create_window_forecast(112, 4)
    expected = np.log(1 + 10_000 * np.array([0, 1 / 3, 2 / 3]))
    assert forecast.predict(_spread(hours=5), 5 * 3600) == pytest.approx(expected, rel=1e-5)


def test_a_log_of_days_too_few_to_learn_from_has_its_best_window():
    """Of twelve moments three are held out, and the days of four more end after the first of
    these. The fashion is another one every day, so that the shortest windows are best.
    """
    log = planted_days.build_clock(planted_days.plant_fashions(13))
    forecast = fit_forecast(log, LONGEST, horizon=5, seed=1)
    assert len(forecast.layers) == 1
    chosen = next(n for n in range(WINDOWS) if forecast == create_window_forecast(LONGEST, n))
    assert chosen >= 4


def test_quality_is_the_dcg_of_the_shares_of_the_votes():
    """The list is item 2, 1 (of the day before); later item 1 has three votes and item 2 one, of
    which one is on the day after next.
    """
    times = np.array([0, 1, 2, DAY, DAY + 1, DAY + 2, 2 * DAY + 1])
    clock = PopularityClock(times, np.array([2, 2, 1, 1, 2, 1, 1]), np.arange(7), 3)
    forecast, moments = create_window_forecast(1, 0), np.array([DAY])
    one, two = (measure_forecasts([forecast], clock, moments, days)[0] for days in (1, 2))
    assert one == pytest.approx(1 / 3 + 2 / 3 / np.log2(3))
    assert two == pytest.approx(1 / 4 + 3 / 4 / np.log2(3))


def test_half_of_a_weeks_log_popularity_is_added(monkeypatch):
    """112 days halved four times are a week; the network is the same with and without it."""
    clock = planted_days.build_clock(planted_days.plant_careers(40))
    examples = build_examples(clock, 112.0, 5.0, 1)
    forecast = learn_forecast(examples, 112.0, seed=1)
    monkeypatch.setattr("trainer.retrieval.forecast._WEEK_WEIGHT", 0.0)
    network = learn_forecast(examples, 112.0, seed=1)
    now = clock.bulk.end
    votes = clock.votes(now, 7)
    week = np.log1p(10_000 * votes / votes.sum())
    np.testing.assert_allclose(
        forecast.predict(clock, now) - network.predict(clock, now), week / 2, atol=1e-4
    )
