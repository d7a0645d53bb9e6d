"""Default comparators on a real log: no alarm from week to week, and planted shifts are found."""

import itertools

import pytest

from components.validation.drift import find_drift
from schema import tfdv_schema
from schema.dataset import Dataset

DAY = 86_400
DATASET = Dataset.model_validate(
    {
        "data": {"interactions": {"path": "ratings.dat"}},
        "features": {"context": {"daypart": {"kind": "category"}}},
        "labels": {"ranking": {"rating": {"column": "rating", "kind": "regression"}}},
    }
)
SHIFTS = {
    "label_rating": lambda event: event | {"rating": event["rating"] * 10},
    "context_daypart": lambda event: event | {"daypart": event["daypart"].replace("3", "night")},
    "item_ids": lambda event: event | ({"item": "bot"} if event["at"] % 3 else {}),
}


def read_events(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        user, item, rating, at = line.split("::")
        daypart = str(int(at) % DAY * 4 // DAY)
        yield {
            "user": user, "item": item, "rating": float(rating), "at": int(at), "daypart": daypart,
        }  # fmt: skip


def build_timelines(events):
    """One Example per user, as written by ingestion."""
    by_user = {
        user: list(group)
        for user, group in itertools.groupby(
            sorted(events, key=lambda each: each["user"]), key=lambda each: each["user"]
        )
    }

    def column(name):
        return [[event[name] for event in own] for own in by_user.values()]

    return {
        "user_id": list(by_user),
        "target_from": [0] * len(by_user),
        "item_ids": column("item"),
        "label_rating": column("rating"),
        "context_daypart": column("daypart"),
    }


@pytest.fixture(scope="module")
def spans(shared_data, describe):
    """Statistics of the log's full weeks, and of the last one with each planted shift."""
    events = sorted(
        read_events(shared_data / "movietweetings-100k" / "ratings.dat"),
        key=lambda event: event["at"],
    )
    weeks = [
        list(week)
        for _, week in itertools.groupby(
            events, key=lambda event: (event["at"] - events[0]["at"]) // (7 * DAY)
        )
    ][:-1]
    tables = {f"week{n}": build_timelines(week) for n, week in enumerate(weeks)}
    for name, shift in SHIFTS.items():
        tables[name] = build_timelines([shift(event) for event in weeks[-1]])
    statistics, _ = describe(tables)
    return [statistics[f"week{n}"] for n in range(len(weeks))], statistics


@pytest.fixture(scope="module")
def schema():
    built = tfdv_schema.build_interactions(DATASET)
    tfdv_schema.add_default_drift(built, DATASET)
    return built


def test_consecutive_weeks_are_no_drift(spans, schema):
    weeks, _ = spans
    assert len(weeks) == 26
    for before, now in itertools.pairwise(weeks):
        assert find_drift("interactions", "train", schema, now, before) == []


@pytest.mark.parametrize("name", SHIFTS)
def test_a_planted_shift_is_found(spans, schema, name):
    """Ratings out of 100, another name for the evening, one item with two thirds of all events."""
    weeks, statistics = spans
    findings = find_drift("interactions", "train", schema, statistics[name], weeks[-2])
    assert [(each.feature, each.rule) for each in findings] == [(name, "drift")]
