"""The time of the test queries, on histories written by hand."""

import pyarrow as pa
import pytest

from components.ingest.events.cut import load_query_time
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


@pytest.mark.parametrize(("t_test", "now"), [(40, 40), (41, 45)])
def test_by_the_clock_the_first_event_of_test_is_the_time_of_the_queries(run, t_test, now):
    counts.write(run, Counts({}, {"t_test": t_test}))
    assert load_query_time(run, run, Split(valid_fraction=0.1, test_fraction=0.1)) == now


@pytest.mark.parametrize("kind", ["last_item", "random"])
def test_without_a_clock_it_is_the_end_of_the_log(run, kind):
    assert load_query_time(run, run, Split(kind=kind)) == 61


def test_loaded_histories_keep_the_order_and_unknown_users_are_empty(run):
    result = histories.load(run, pa.array(["dan", "eve", "ann"], pa.large_string()))
    assert result.to_pylist() == [
        {"user_id": "dan", "item_ids": ["i"] * 3, "timestamps": [1, 2, 3]},
        {"user_id": "eve", "item_ids": None, "timestamps": None},
        {"user_id": "ann", "item_ids": ["i"] * 4, "timestamps": [10, 20, 50, 60]},
    ]


def test_histories_of_unknown_users_are_empty(run):
    result = histories.load(run, pa.array(["eve"], pa.large_string()))
    assert result.to_pylist() == [{"user_id": "eve", "item_ids": None, "timestamps": None}]
