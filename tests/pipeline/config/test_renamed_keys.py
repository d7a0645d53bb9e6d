"""Keys of the previous release work, with one warning each that names the new key."""

import logging

import pytest

from pipeline.config.config import load_config, read_toml
from pipeline.config.renamed_keys import rename_keys
from schema.errors import ConfigError

SHOP = """
name = "shop"
[data]
carry = 7
[data.interactions]
path = "events.csv"
[data.items]
path = "items.csv"
[retrieval]
present = false
[[blessing.baselines]]
against = "recent"
[[blessing.baselines]]
of = "retrieval"
baseline = "popular"
"""
NEW_PATHS = {
    "data.carry": "data.history_per_example",
    "retrieval.present": "retrieval.popularity_prior",
    "blessing.baselines.against": "blessing.baselines.baseline",
    "blessing.baselines.of": "blessing.baselines.lists",
}


@pytest.fixture
def path(tmp_path):
    """A file with the keys of the previous release."""
    file = tmp_path / "shop.toml"
    file.write_text(SHOP)
    return file


def test_old_keys_set_what_the_new_ones_set_and_are_named_once(path, caplog):
    with caplog.at_level(logging.WARNING):
        config = load_config(path)
    assert config.data.history_per_example == 7
    assert config.retrieval.popularity_prior is False
    first, second = config.blessing.baselines
    assert (first.lists, first.baseline) == ("final", "recent")
    assert (second.lists, second.baseline) == ("retrieval", "popular")
    warned = [record.getMessage() for record in caplog.records]
    assert sorted(warned) == sorted(
        f"configuration key {old} is now {new}; rename it in {path}"
        for old, new in NEW_PATHS.items()
    )


def test_an_override_may_use_an_old_key_too(path):
    assert load_config(path, ["data.window=9"]).data.events_per_example == 9


def test_a_table_that_is_read_again_has_new_keys_and_no_warning(path, caplog):
    table = read_toml(path)
    assert table["retrieval"] == {"popularity_prior": False}
    assert not caplog.records


def test_a_key_under_both_names_is_refused(path):
    with pytest.raises(ConfigError, match="unknown key retrieval.present"):
        load_config(path, ["retrieval.popularity_prior=true"])


def test_new_keys_are_left_alone():
    table = {"retrieval": {"popularity_prior": True}, "data": 3, "evaluation": {"fairness": []}}
    assert rename_keys(table) == {}
    assert table["retrieval"] == {"popularity_prior": True}


@pytest.mark.parametrize(("old", "new"), [("csv", '"'), ("none", "")])
def test_an_old_value_becomes_the_new_one(path, caplog, old, new):
    data = load_config(path, [f"data.items.quoting={old}"]).data
    assert data.item_tables[0].quote == new
    assert "data.items.quoting is now data.items.quote;" in caplog.text


def test_an_unknown_value_of_an_old_key_is_refused_under_the_new_name(path):
    with pytest.raises(ConfigError, match=r"data\.items\.quote\b.*received 'all'"):
        load_config(path, ["data.items.quoting=all"])
