"""Seconds by stage and cause, with a planted clock."""

import types

from benchmarks import run_profile
from benchmarks.run_profile import CAUSES, Profile, format_table, wrap


class Clock:
    """Advances only when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def seconds(row):
    return {cause: value for cause, value in row.items() if value}


def test_a_second_belongs_to_the_innermost_cause_of_its_stage():
    clock = Clock()
    profile = Profile(clock)
    clock.now = 1.0
    profile.begin_stage("training")
    with profile.cause("keras"):
        clock.now = 3.0
        with profile.cause("trace"):
            clock.now = 7.0
        clock.now = 15.0
    clock.now = 31.0
    profile.begin_stage("end")
    assert seconds(profile.seconds["start"]) == {"other": 1.0}
    assert seconds(profile.seconds["training"]) == {"keras": 10.0, "trace": 4.0, "other": 16.0}


def test_a_wrapped_function_returns_its_result_and_closes_its_cause_on_errors(monkeypatch):
    clock = Clock()
    profile = Profile(clock)

    def divide(by):
        clock.now += 2.0
        return 6 / by

    module = types.SimpleNamespace(divide=divide)
    monkeypatch.setattr(run_profile, "_find", lambda path: (module, "divide"))
    wrap(profile, "save", "module.divide")
    assert module.divide(2) == 3.0
    try:
        module.divide(0)
    except ZeroDivisionError:
        clock.now += 1.0
    profile.begin_stage("end")
    assert seconds(profile.seconds["start"]) == {"save": 4.0, "other": 1.0}


def test_the_table_ends_with_the_sums():
    one = dict.fromkeys(CAUSES, 0.0) | {"trace": 1.5}
    other = dict.fromkeys(CAUSES, 0.0) | {"trace": 2.0, "beam": 4.0}
    last = format_table({"one": one, "other": other}).splitlines()[-1].split()
    values = dict(zip((*CAUSES, "all"), last[1:], strict=True))
    assert (values["trace"], values["beam"], values["all"]) == ("3.5", "4.0", "7.5")
