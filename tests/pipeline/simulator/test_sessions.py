"""The schedule: exact counts, order, bursts, and daily and weekly cycles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.simulator.users import draw_schedule, draw_users
from pipeline.simulator.world import draw_directions

START = 1_704_067_200  # Monday 2024-01-01 00:00 UTC


def _users(n):
    rng = np.random.default_rng(1)
    return draw_users(rng, n, draw_directions(rng, 16))


@pytest.fixture(scope="module")
def users():
    return _users(2000)


@pytest.fixture(scope="module")
def schedule(users):
    return draw_schedule(np.random.default_rng(2), users, 40_000, cap=400)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), users=st.integers(1, 30), cap=st.integers(1, 20), seed=st.integers(0, 99))
def test_every_user_has_one_event_at_least_and_the_cap_at_most(data, users, cap, seed):
    events = data.draw(st.integers(users, users * cap))
    drawn = draw_schedule(np.random.default_rng(seed), _users(users), events, cap)
    counts = np.bincount(drawn.users, minlength=users)
    assert counts.sum() == events == len(drawn.timestamps)
    assert counts.min() >= 1
    assert counts.max() <= cap


def test_events_are_in_time_order_and_in_the_period(schedule):
    assert (np.diff(schedule.timestamps) >= 0).all()
    assert schedule.timestamps[0] >= START
    assert schedule.timestamps[-1] < START + 121 * 86_400


def test_users_have_no_events_before_joining(users, schedule):
    day = (schedule.timestamps - START) / 86_400
    assert (day >= users.joined[schedule.users]).all()


def test_new_users_have_their_first_event_late(users, schedule):
    _, first = np.unique(schedule.users, return_index=True)
    late = schedule.timestamps[first] >= START + 96 * 86_400
    assert late.mean() >= 0.12


def test_events_come_in_bursts_with_minutes_between(schedule):
    order = np.lexsort((schedule.timestamps, schedule.users))
    same_user = np.diff(schedule.users[order]) == 0
    gaps = np.diff(schedule.timestamps[order])[same_user]
    short = gaps < 3600
    # Sessions of 3.5 events on average: 2.5 of 3.5 events follow one of the same session.
    assert 0.6 < short.mean() < 0.85
    assert 60 < np.median(gaps[short]) < 180


def test_evenings_and_weekends_are_busier(schedule):
    hour = (schedule.timestamps - START) // 3600 % 24
    by_hour = np.bincount(hour, minlength=24)
    assert by_hour[20] > 5 * by_hour[3]
    weekday = (schedule.timestamps - START) // 86_400 % 7
    by_weekday = np.bincount(weekday, minlength=7)
    assert by_weekday[5:].mean() > 1.2 * by_weekday[:4].mean()
