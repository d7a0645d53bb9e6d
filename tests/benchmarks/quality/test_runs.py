"""Seeds share a root if their data is the same; evaluator and referee are compared."""

import pathlib

import pytest

from benchmarks.quality import data, runs
from schema.errors import ConfigError


def _values(value, **others):
    names = ("recall@10", "ndcg@10", "recall@100", "coverage@10")
    return dict.fromkeys(names, value) | {k.replace("_", "@"): v for k, v in others.items()}


def test_greatest_difference_keeps_its_sign_and_skips_what_one_does_not_measure():
    evaluator = {"retrieval": _values(0.5), "final": _values(0.5, ndcg_10=0.25)}
    referee = {"retrieval": _values(0.5, mrr_100=1.0), "final": _values(0.5, recall_100=0.625)}
    assert runs.greatest_difference(evaluator, referee) == -0.25


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return data.prepare_data_set("simulated", tmp_path_factory.mktemp("shop"), 500)


def _seeds(shop, *overrides):
    return runs.Seeds(shop, pathlib.Path("split"), pathlib.Path("referee"), [*overrides])


def test_one_root_for_all_seeds_and_for_all_models(shop):
    seeds = _seeds(shop)
    assert seeds.root(1) == seeds.root(2) == _seeds(shop, "retrieval.epochs=3").root(1)
    assert seeds.cache_key(1) != seeds.cache_key(2)
    assert seeds.cache_key(1) != _seeds(shop, "retrieval.epochs=3").cache_key(1)


def test_another_root_for_another_description_of_the_data(shop):
    assert _seeds(shop).root(1) != _seeds(shop, "split.test_fraction=0.2").root(1)


def test_an_invalid_override_stops_before_anything_runs(shop):
    with pytest.raises(ConfigError, match="unknown key retrieval.epoch"):
        _seeds(shop, "retrieval.epoch=3").measure(1)
