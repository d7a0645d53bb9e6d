"""The time at which popularity is served, on planted splits."""

from typing import Any

import numpy as np
import pytest

from schema.dataset import Dataset
from trainer.data.training_data import TrainingData

HOUR = 3600
START = 400_000 * HOUR
IN_2099 = 4_070_908_800


class Catalogue:
    size = 3


@pytest.fixture
def data(timelines_of):
    """Forty users, one per hour, consume item 1 or, every fourth, item 2; `stray` is one more
    event.
    """

    def planted(kind: str, stray: list[tuple]) -> TrainingData:
        rows = [
            (f"u{n}".encode(), n, [1 if n % 4 else 2], [START + n * HOUR], 0) for n in range(40)
        ]
        anything: Any = None
        tables = {"interactions": {"path": "e"}, "items": {"path": "i"}}
        return TrainingData(
            dataset=Dataset.model_validate({"data": tables, "split": {"kind": kind}}),
            items_graph=anything,
            timelines_graph=anything,
            catalogue=Catalogue(),  # type: ignore[arg-type]
            train=timelines_of(rows[:32]),
            valid=timelines_of(rows[32:36]),
            test=timelines_of(rows[36:] + stray),
        )

    return planted


STRAY = (b"stray", 40, [1, 3], [START, IN_2099], 1)


@pytest.mark.parametrize("kind", ["clock", "last_item"])
@pytest.mark.parametrize("stray", [[], [STRAY]])
def test_one_event_in_2099_does_not_change_what_is_served(data, kind, stray):
    training_data = data(kind, stray)
    assert training_data.end == START + 39 * HOUR + 1
    clock = training_data.clock(training_data.train, training_data.valid, training_data.test)
    # 30 users consumed item 1 and 10 item 2, within two days
    np.testing.assert_array_equal(clock.votes(training_data.end, 2), [0, 30, 10, 0])
    # The last twelve hours: users 28 to 39, of whom three consumed item 2.
    np.testing.assert_array_equal(clock.votes(training_data.end, 0.5), [0, 9, 3, 0])


@pytest.mark.parametrize(("kind", "hours"), [("clock", 36 * HOUR), ("last_item", 39 * HOUR + 1)])
def test_queries_are_within_the_bulk(data, kind, hours):
    for stray in ([], [STRAY]):
        training_data = data(kind, stray)
        assert training_data.moment(training_data.test) == START + hours
