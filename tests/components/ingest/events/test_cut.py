"""The start of the test split, on histories written by hand."""

import numpy as np
import pyarrow as pa
import pytest

from components.ingest.events.cut import Cut, load_test_cut
from components.ingest.output import counts, histories
from components.ingest.output.counts import Counts
from schema.split import Split

EVENTS = {"ann": [10, 20, 50, 60], "bob": [45], "cid": [5, 40], "dan": [1, 2, 3]}


@pytest.fixture
def run(tmp_path):
    """URIs of both artifacts, the histories in two shards."""
    users = list(EVENTS.items())
    for shard, part in enumerate((users[:1], users[1:])):
        table = pa.table(
            {
                "user_id": pa.array([user for user, _ in part], pa.large_string()),
                "item_ids": pa.array([["i"] * len(t) for _, t in part], pa.large_list(pa.string())),
                "timestamps": pa.array([times for _, times in part], pa.large_list(pa.int64())),
            }
        )
        histories.write(str(tmp_path), shard, 2, iter([table]))
    counts.write(str(tmp_path), Counts({}, {"t_test": 40}))
    return str(tmp_path)


def positions(found):
    times = np.concatenate([np.array(t) for t in EVENTS.values()])
    return found.find_test_starts(times, np.array([0, 4, 5, 7, 10])).tolist()


@pytest.mark.parametrize(("t_test", "now"), [(40, 40), (41, 45)])
def test_by_the_clock_events_at_the_cut_are_test(run, t_test, now):
    counts.write(run, Counts({}, {"t_test": t_test}))
    found = load_test_cut(run, run, Split(valid_fraction=0.1, test_fraction=0.1))
    assert found == Cut(t_test, now)
    assert positions(found) == {40: [2, 4, 6, 10], 41: [2, 4, 7, 10]}[t_test]


def test_with_last_items_each_user_has_its_own_cut(run):
    found = load_test_cut(run, run, Split(kind="last_item"))
    assert found == Cut(None, 61)
    # a user of fewer than three events has no item held out
    assert positions(found) == [3, 5, 7, 9]


def test_loaded_histories_keep_the_order_and_unknown_users_are_empty(run):
    found = histories.load(run, pa.array(["dan", "eve", "ann"], pa.large_string()))
    assert found.to_pylist() == [
        {"user_id": "dan", "item_ids": ["i"] * 3, "timestamps": [1, 2, 3]},
        {"user_id": "eve", "item_ids": None, "timestamps": None},
        {"user_id": "ann", "item_ids": ["i"] * 4, "timestamps": [10, 20, 50, 60]},
    ]


def test_histories_of_unknown_users_are_empty(run):
    found = histories.load(run, pa.array(["eve"], pa.large_string()))
    assert found.to_pylist() == [{"user_id": "eve", "item_ids": None, "timestamps": None}]
