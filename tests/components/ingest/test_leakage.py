"""Events after a cut do not affect the training data before it."""

import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.events import timelines
from components.ingest.events.log import sort_events
from components.ingest.events.splits import CombineTimes, count_times, find_edges
from schema.dataset import Dataset
from schema.split import Split

DAY = 86_400
T0 = 18_000 * DAY

rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 30 * DAY), st.sampled_from("xyz")),
    min_size=3,
    max_size=60,
)
by_clock = st.sampled_from(
    [
        Split(),
        Split(valid_fraction=0.3, test_fraction=0.2),
        Split(kind="window", train_days=7, valid_days=2, test_days=1),
        Split(kind="window", train_days=400, valid_days=1, test_days=3),
    ]
)


def table(events: list[tuple[str, int, str]]) -> pa.Table:
    users, times, items = zip(*events, strict=True)
    columns = {
        "user_id": pa.array(users, pa.large_string()),
        "moment": pa.array([(T0 + time) * 10**9 for time in times]),
        "item_id": pa.array(items, pa.large_string()),
    }
    return sort_events(pa.table(columns))


@given(rows, by_clock, st.integers(1, 4), st.integers(1, 4))
def test_no_timeline_has_an_event_after_its_split(events, split, window, carry):
    log = table(events)
    combine = CombineTimes(split)
    moments = log["timestamp"].to_numpy()
    clock = combine.extract_output([count_times(moments)]).clock
    assert clock is not None
    edges = find_edges(log, clock)
    ends = {"train": clock.t_valid, "valid": clock.t_test, "test": moments.max() + 1}
    begins = {"train": clock.t_train, "valid": clock.t_valid, "test": clock.t_test}
    owned = 0
    for name, end in ends.items():
        windows = timelines.build_split_windows(edges, name, window, carry)
        for batch in timelines.build_batches(log, windows, None):
            for row in batch.to_pylist():
                target = row["target_from"]
                assert all(moment < end for moment in row["timestamps"])
                assert all(moment >= begins[name] for moment in row["timestamps"][target:])
                assert row["timestamps"] == sorted(row["timestamps"])
                owned += len(row["timestamps"]) - target
    assert owned + (edges.train - edges.first).sum() == log.num_rows


@given(rows, st.integers(1, 4), st.integers(1, 4))
def test_with_last_items_no_timeline_shows_the_next_event(events, window, carry):
    log = table(events)
    by_user: dict[str, list] = {}
    for row in log.to_pylist():
        by_user.setdefault(row["user_id"], []).append((row["timestamp"], row["item_id"]))
    edges = find_edges(log, None)
    own: dict[str, dict[str, list]] = {"train": {}, "valid": {}, "test": {}}
    for name, result in own.items():
        windows = timelines.build_split_windows(edges, name, window, carry)
        for batch in timelines.build_batches(log, windows, None):
            for row in batch.to_pylist():
                whole = list(zip(row["timestamps"], row["item_ids"], strict=True))
                target = row["target_from"]
                result.setdefault(row["user_id"], []).extend(whole[target:])
                assert whole == _before_and_own(by_user[row["user_id"]], whole, target, carry)
    for user, events_of_user in by_user.items():
        held_out = 1 if len(events_of_user) >= 3 else 0
        at = len(events_of_user) - 2 * held_out
        assert own["train"][user] == events_of_user[:at]
        assert own["valid"].get(user, []) == events_of_user[at : at + held_out]
        assert own["test"].get(user, []) == events_of_user[at + held_out :]


def _before_and_own(every: list, whole: list, target: int, carry: int) -> list:
    """Expected timeline: its own events, after at most `carry` events directly before them."""
    first = every.index(whole[target])
    return every[max(0, first - carry) : first + len(whole) - target]


def described(split: dict) -> Dataset:
    source = {"path": "log.csv", "columns": ["user_id", "item_id", "timestamp", "stars", "page"]}
    return Dataset.model_validate(
        {
            "data": {
                "interactions": source,
                "items": {"path": "items.csv"},
                "history_per_example": 3,
            },
            "labels": {
                "positive": {"column": "stars", "at_least": 3},
                "ranking": {"stars": {"column": "stars", "kind": "regression"}},
            },
            "features": {"context": {"page": {"kind": "category"}}},
            "split": split,
        }
    )


@pytest.mark.parametrize(
    "split", [{}, {"kind": "window", "train_days": 5, "valid_days": 2, "test_days": 2}]
)
def test_training_examples_do_not_depend_on_later_events(split, ingest_events, lay):
    """Vocabularies, statistics and models are made from these Examples."""
    # Forty events, four a day: 0.8 is the event at index 32, the first of the ninth day.
    chance = random.Random(3)
    past = [f"{chance.choice('abc')},p{n},{T0 + n * DAY // 4},{n % 5}.5,home" for n in range(32)]
    learned = []
    for name, users, stars in (("one", "abc", 1), ("two", "acz", 5)):
        future = [
            f"{chance.choice(users)},{name}{n},{T0 + n * DAY // 4},{stars},page-{name}"
            for n in range(32, 40)
        ]
        lines = chance.sample(past + future, 40)
        ingested = ingest_events(
            described(split), lay({"log.csv": "\n".join(lines)}, name), f"run-{name}"
        )
        assert ingested.counts.totals["t_valid"] == T0 + (6 if split else 8) * DAY
        assert ingested.counts.totals["test"] > 0
        learned.append(ingested.examples("train"))
    assert learned[0] == learned[1]
