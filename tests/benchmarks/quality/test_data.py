"""Data sets are written in the layout that a run and the referee read."""

import json

import pytest

from benchmarks.quality import data
from pipeline.config.config import load_config
from schema.errors import UsageError


def test_items_without_attributes_stay_in_the_catalogue():
    assert data.attributed_items("7 10 2\n8 2 33\n", {"10": [5, 6], "99": [1]}) == [
        {"item_id": "2", "attributes": []},
        {"item_id": "10", "attributes": [5, 6]},
        {"item_id": "33", "attributes": []},
    ]


def test_beauty_is_written_to_the_paths_of_its_configuration(tmp_path, monkeypatch):
    source = tmp_path / "public" / "amazon-beauty"
    source.mkdir(parents=True)
    (source / "Beauty.txt").write_text("1 2 3 4\n")
    (source / "Beauty_item2attributes.json").write_text('{"2": [7]}')
    monkeypatch.setenv("TANDEM_DATA", str(tmp_path / "public"))
    data_set = data.prepare_data_set("beauty", tmp_path / "root", 0)
    config = load_config(data_set.config)
    assert (data_set.data / config.data.interactions.path).read_text() == "1 2 3 4\n"
    items = (data_set.data / config.data.item_tables[0].path).read_text().splitlines()
    assert json.loads(items[0]) == {"item_id": "2", "attributes": [7]}
    assert set(config.features.items) == {"attributes"}


@pytest.mark.parametrize("name", ["movietweetings", "beauty", "ml-1m", "ml-1m-clock"])
def test_a_missing_data_set_is_an_error(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TANDEM_DATA", str(tmp_path))
    with pytest.raises(UsageError, match="set TANDEM_DATA"):
        data.prepare_data_set(name, tmp_path / "root", 0)


def test_the_shop_is_made_once_and_read_by_the_referee_as_ratings(tmp_path):
    data_set = data.prepare_data_set("simulated", tmp_path, 500)
    events = [json.loads(row) for row in (data_set.data / "events.jsonl").read_text().splitlines()]
    ratings = [
        row.split("::") for row in (data_set.source / "ratings.dat").read_text().splitlines()
    ]
    assert len(ratings) == 500
    assert [(user, item, int(time)) for user, item, _, time in ratings] == [
        (event["user_id"], event["item_id"], event["timestamp"]) for event in events
    ]
    films = (data_set.source / "movies.dat").read_text().splitlines()
    items = (data_set.data / "items.jsonl").read_text().splitlines()
    assert [film.split("::")[0] for film in films] == [json.loads(i)["item_id"] for i in items]
    assert set(data_set.ceiling()["ceiling of any method"]) >= {"recall@10", "ndcg@10"}
    written = (data_set.data / "events.jsonl").stat().st_mtime_ns
    assert data.prepare_data_set("simulated", tmp_path, 500) == data_set
    assert (data_set.data / "events.jsonl").stat().st_mtime_ns == written
