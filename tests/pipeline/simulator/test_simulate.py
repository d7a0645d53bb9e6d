"""A whole shop: its files, its determinism, invalid arguments, and the verb."""

import datetime
import json
import pathlib
from typing import Any

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.config.config import load_config
from pipeline.simulator.simulate import ShopSize, simulate
from schema.errors import UsageError

FILES = ("events.jsonl", "items.jsonl", "users.jsonl", "truth.json")
SIZE: dict[str, Any] = {"users": 300, "items": 200, "events": 6000}
CONFIG = pathlib.Path(__file__).parents[3] / "configs" / "simulated.toml"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    out = tmp_path_factory.mktemp("shop")
    return out, simulate(out, ShopSize(**SIZE, malformed=13), seed=7)


def _rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def _sound_events(path):
    events = []
    for line in path.read_text().splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        if not isinstance(event, dict) or not {"user_id", "item_id", "timestamp"} <= event.keys():
            continue
        if isinstance(event["timestamp"], int):
            events.append(event)
    return events


def test_the_counts_are_as_requested(shop):
    out, truth = shop
    assert len((out / "events.jsonl").read_text().splitlines()) == 6013
    assert len(_sound_events(out / "events.jsonl")) == 6000
    assert len(_rows(out / "items.jsonl")) == 200
    assert len(_rows(out / "users.jsonl")) == 300
    assert sum(truth["malformed"].values()) == 13
    assert json.loads((out / "truth.json").read_text()) == truth


def test_the_columns_are_those_of_the_configuration(shop):
    out, _ = shop
    config = load_config(CONFIG)
    event = _sound_events(out / "events.jsonl")[0]
    item, user = _rows(out / "items.jsonl")[0], _rows(out / "users.jsonl")[0]
    assert event.keys() == {
        *config.data.interactions.user_columns,
        config.data.interactions.item_id,
        config.data.interactions.timestamp,
        *config.features.context,
        *(head.column for head in config.labels.ranking.values()),
    }
    [source] = config.data.item_tables
    assert item.keys() == {source.item_id, source.available, *config.features.items}
    assert config.data.users is not None
    assert user.keys() == {config.data.users.user_id, *config.features.users}


def test_values_have_their_kinds(shop):
    out, _ = shop
    for event in _sound_events(out / "events.jsonl"):
        assert isinstance(event["rating"], float)
        assert 1 <= event["rating"] <= 5
        assert event["purchase"] in (0, 1)
        assert event["device"] in ("phone", "desktop", "tablet")
    for item in _rows(out / "items.jsonl"):
        assert isinstance(item["tags"], list)
        assert len(item["tags"]) == 3
        assert item["price"] > 0
        assert item["title"]
        assert item["category"]
        assert isinstance(item["in_stock"], bool)


def test_every_event_names_a_known_user_and_item_and_no_pair_twice(shop):
    out, _ = shop
    events = _sound_events(out / "events.jsonl")
    pairs = {(event["user_id"], event["item_id"]) for event in events}
    assert len(pairs) == 6000
    assert {user for user, _ in pairs} == {row["user_id"] for row in _rows(out / "users.jsonl")}
    assert {item for _, item in pairs} <= {row["item_id"] for row in _rows(out / "items.jsonl")}


def test_popular_items_have_most_of_the_events(shop):
    out, _ = shop
    items = [event["item_id"] for event in _sound_events(out / "events.jsonl")]
    counts = np.sort(np.unique(items, return_counts=True)[1])[::-1]
    assert counts[:20].sum() > 0.25 * 6000  # a tenth of the catalogue


def test_the_same_seed_gives_the_same_bytes(shop, tmp_path):
    out, _ = shop
    simulate(tmp_path, ShopSize(**SIZE, malformed=13), seed=7)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes()


def test_another_seed_gives_another_shop(shop, tmp_path):
    out, _ = shop
    simulate(tmp_path, ShopSize(**SIZE, malformed=13), seed=8)
    for name in FILES:
        assert (tmp_path / name).read_bytes() != (out / name).read_bytes()


def test_broken_lines_do_not_change_the_valid_ones(shop, tmp_path):
    out, _ = shop
    simulate(tmp_path, ShopSize(**SIZE), seed=7)
    assert _rows(tmp_path / "events.jsonl") == _sound_events(out / "events.jsonl")
    for name in ("items.jsonl", "users.jsonl"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes()


def test_there_is_room_between_popularity_and_the_ceiling(shop):
    _, truth = shop
    for measure in ("recall@10", "ndcg@10", "recall@100"):
        assert 0 < truth["popular"][measure] < truth["ceiling"][measure] <= 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"users": 0}, "users 0"),
        ({"malformed": -1}, "malformed -1"),
        ({"items": 5}, "received 5"),
        ({"events": 299}, "received 299"),
        ({"events": 300 * 55 + 1}, "300 to 16500 events"),
    ],
)
def test_counts_that_make_no_shop_are_refused(change, named, tmp_path):
    with pytest.raises(UsageError, match=named):
        simulate(tmp_path, ShopSize(**SIZE | change), seed=7)


def test_an_existing_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="found a file"):
            simulate(out, ShopSize(**SIZE), seed=7)


def test_a_shop_with_the_maximum_number_of_events(tmp_path):
    truth = simulate(tmp_path, ShopSize(users=10, items=20, events=10 * 5), seed=1)
    assert len(_rows(tmp_path / "events.jsonl")) == 50
    assert truth["events"] == 50


def _arguments(out, *more):
    return [
        *("simulate", "--users", "300", "--items", "200", "--events", "6000"),
        *("--seed", "7", "--malformed", "13", "--out", str(out), *more),
    ]


def test_the_verb_prints_only_json(shop, tmp_path, capsys):
    assert main(_arguments(tmp_path, "--json")) == 0
    assert json.loads(capsys.readouterr().out) == shop[1]


def test_the_verb_prints_popularity_and_the_ceiling(shop, tmp_path, capsys):
    assert main(_arguments(tmp_path)) == 0
    printed = capsys.readouterr().out
    truth = shop[1]
    assert f"{truth['popular']['ndcg@10']:.4f}" in printed
    assert f"{truth['ceiling']['ndcg@10']:.4f}" in printed


def test_the_verb_ends_with_two_on_bad_counts(tmp_path, capsys):
    assert main(["simulate", "--users", "9", "--items", "20", "--events", "8", "--seed", "1",
                 "--out", str(tmp_path)]) == 2  # fmt: skip
    assert "received 8" in capsys.readouterr().err


def test_by_day_the_same_events_are_in_one_folder_per_date(shop, tmp_path):
    out, _ = shop
    for _ in range(2):  # files of an earlier call are replaced
        simulate(tmp_path, ShopSize(**SIZE, malformed=13), seed=7, by_day=True)
    files = sorted((tmp_path / "events").glob("*/events.jsonl"))
    assert "".join(file.read_text() for file in files) == (out / "events.jsonl").read_text()
    for file in files:
        dates = {
            datetime.datetime.fromtimestamp(event["timestamp"], datetime.timezone.utc).date()
            for event in _sound_events(file)
        }
        assert {date.isoformat() for date in dates} == {file.parent.name}
    assert not (tmp_path / "events.jsonl").exists()
