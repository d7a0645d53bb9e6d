"""The pushed version is queried with the data before the cut, for a changed catalogue."""

import numpy as np
import pyarrow as pa
import pytest

from components.ingest.output import histories, shards
from components.pushed.baseline import compute_baseline_popularity, query_unchanged, query_version
from schema.candidates import Candidates, to_text_array
from schema.dataset import Dataset
from serving.bulk.pushed_version import PushedVersion
from serving.versions.origin import find_newest_version
from tests.serving import planted_push
from tests.serving.planted_push import ORIGIN
from trainer.data.catalogue import Catalogue
from trainer.data.popularity_forecast import save_forecast
from trainer.data.timelines import Timelines
from trainer.data.training_data import TrainingData

DAY = 86_400
CUT = 100 * DAY
ITEMS = ["new", "b", "c", "a"]
"""In the order of the new catalogue, from index 1."""
EVENTS = {
    "u": [(CUT - 20 * DAY, "b"), (CUT - DAY, "c"), (CUT, "a"), (CUT + DAY, "new")],
    "v": [(CUT - DAY, "a"), (CUT - DAY, "a"), (CUT + 2 * DAY, "c")],
    "w": [(CUT - 2 * DAY, "a")],
}
CANDIDATES = Candidates(
    item_ids=to_text_array([b"a", b"gone", b"b", b"c"]),
    titles=to_text_array([b"a", b"gone", b"b", b"c"]),
    vectors=np.array([[0, 0], [9, 0], [0.1, 5], [0, 0]], np.float32),
    log_popularity_at_test=np.zeros(4, np.float32),
    sample_queries=np.zeros((0, 2), np.float32),
)


def timelines(users, is_included, is_own):
    """The events of `users` for which `is_included(time)`; `is_own(time)` marks those of the
    split.
    """
    rows = [[event for event in EVENTS[user] if is_included(event[0])] for user in users]
    events = [event for row in rows for event in row]
    return Timelines(
        user_ids=np.array([user.encode() for user in users], object),
        user_index=np.arange(1, len(users) + 1, dtype=np.int32),
        row_splits=np.cumsum([0, *map(len, rows)]),
        target_from=np.array([sum(not is_own(time) for time, _ in row) for row in rows]),
        item_index=np.array([1 + ITEMS.index(item) for _, item in events], np.int32),
        timestamps=np.array([time for time, _ in events]),
        positive=np.ones(len(events), bool),
        labels={},
        context={},
        users={},
    )


@pytest.fixture(scope="module")
def data():
    sources = {"interactions": {"path": "events.csv"}, "items": {"path": "items.csv"}}
    ids = np.array([b"", *(item.encode() for item in ITEMS)], object)
    valid_begins = CUT - 2 * DAY
    return TrainingData(
        dataset=Dataset.model_validate({"data": sources}),
        items_graph=None,  # pyright: ignore[reportArgumentType] nothing is transformed here
        timelines_graph=None,  # pyright: ignore[reportArgumentType]
        catalogue=Catalogue(ids, ids, {}),
        train=timelines("u", lambda t: t < valid_begins, lambda t: True),
        valid=timelines("uvw", lambda t: t < CUT, lambda t: t >= valid_begins),
        test=timelines("uv", lambda t: True, lambda t: t >= CUT),
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The same events as ingestion's histories."""
    folder = tmp_path_factory.mktemp("histories")
    table = pa.table(
        {
            "user_id": pa.array(list(EVENTS), pa.large_string()),
            "item_ids": pa.array(
                [[item for _, item in events] for events in EVENTS.values()],
                pa.large_list(pa.large_string()),
            ),
            "timestamps": pa.array(
                [[time for time, _ in events] for events in EVENTS.values()],
                pa.large_list(pa.int64()),
            ),
            "test_from": [sum(time < CUT for time, _ in events) for events in EVENTS.values()],
        }
    )
    for shard, part in shards.divide(table, "user_id", 2):
        histories.write(str(folder), shard, 2, iter([part]))
    return str(folder)


def pushed(folder, learned_until=CUT - 1):
    evaluated = ORIGIN.evaluated.model_copy(update={"learned_until": learned_until})
    origin = ORIGIN.model_copy(update={"evaluated": evaluated})
    planted_push.push(folder, 2, CANDIDATES, origin)
    return folder


def test_lists_use_the_popularity_at_the_cut(data, stored, tmp_path):
    """In the week before the cut a has two votes, c one, b none (taste .1); `gone` has the highest
    score but is no longer in the catalogue. u has consumed b and c by then, v has consumed a.
    """
    result = query_version(data, stored, str(pushed(tmp_path)), "2")
    assert result.described == {"version": 2, "path": str(tmp_path / "recommender" / "2")}
    assert result.lists is not None
    new, b, c, a = range(1, 5)
    assert result.lists.tolist() == [[a, 0, 0, 0], [c, b, 0, 0]]
    assert new not in result.lists


def test_popularity_is_computed_for_the_items_of_the_version(data, tmp_path):
    version = PushedVersion(ORIGIN.evaluated, CANDIDATES, str(tmp_path), tmp_path)
    save_forecast(planted_push.FORECAST, str(tmp_path))
    result = compute_baseline_popularity(data, CUT, version)
    # three votes: a has those of v and w, c that of u
    assert result == pytest.approx(np.log([1 + 20_000 / 3, 1, 1, 1 + 10_000 / 3]))


def test_a_version_of_an_older_tandem_without_a_forecast_states_the_reason(data, stored, tmp_path):
    (file,) = pushed(tmp_path).rglob("popularity_forecast.json")
    file.unlink()
    result = query_version(data, stored, str(tmp_path), "2")
    assert result.lists is None
    assert "pushed by an older Tandem" in result.described["failure"]


def test_a_version_trained_on_later_events_is_compared_with_a_note(data, stored, tmp_path):
    result = query_version(data, stored, str(pushed(tmp_path, learned_until=CUT)), "2")
    assert result.lists is not None
    assert "events after the time of these queries" in result.described["note"]


def test_a_version_that_cannot_be_queried_states_the_reason(data, stored, tmp_path):
    (tmp_path / "recommender" / "2").mkdir(parents=True)
    result = query_version(data, stored, str(tmp_path), "2")
    assert result.lists is None
    assert "expected the origin of a pushed version" in result.described["failure"]


def test_a_damaged_model_states_the_reason(data, stored, tmp_path):
    folder = pushed(tmp_path) / "recommender" / "2"
    (folder / "saved_model.pb").write_bytes(b"no graph")
    assert find_newest_version(tmp_path) == "2"
    result = query_version(data, stored, str(tmp_path), "2")
    assert result.lists is None
    assert "saved_model.pb" in result.described["failure"]


def test_without_a_refresh_the_popularity_is_that_of_the_push(data, stored, tmp_path):
    """b was pushed with a popularity of 5, a and c with none; u has consumed b and c, v has
    consumed a.
    """
    result = query_unchanged(data, stored, str(pushed(tmp_path)), "2")
    _, b, c, a = range(1, 5)
    retrained, alone = result["never_retrained"].lists, result["left_alone"].lists
    assert retrained is not None
    assert retrained.tolist() == [[a, 0, 0, 0], [c, b, 0, 0]]
    assert alone is not None
    assert alone.tolist() == [[a, 0, 0, 0], [b, c, 0, 0]]
