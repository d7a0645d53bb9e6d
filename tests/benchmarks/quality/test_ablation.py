"""Variants leave out exactly what they declare and are valid with every configuration."""

import pytest

from benchmarks.quality.ablation import VARIANTS, Variant, distinct, find_variant
from benchmarks.quality.data import CHECKOUT
from pipeline.config.config import load_config

FILMS = CHECKOUT / "configs" / "movietweetings.toml"
EVERYTHING = [
    "retrieval.history='auto'",
    "retrieval.uniform_negatives=64",
    "retrieval.refit_epochs='auto'",
    "retrieval.popularity_prior=true",
]


def test_features_of_a_kind_are_left_out():
    declared = load_config(FILMS).features.items
    assert set(declared) == {"title", "genres"}
    assert set(Variant("", without_kinds=("text",)).features(declared)) == {"genres"}
    assert set(Variant("", without_kinds=("*",)).features(declared)) == set()
    assert set(Variant("").features(declared)) == {"title", "genres"}


def test_a_variant_that_changes_nothing_has_no_row():
    beauty = CHECKOUT / "configs" / "amazon-beauty.toml"
    assert distinct(FILMS, EVERYTHING) == [*VARIANTS]
    assert _left_out(beauty, EVERYTHING) == {"without text"}
    switched = ["retrieval.uniform_negatives=0", "retrieval.refit_epochs=1"]
    switched += ["retrieval.history='attention'"]
    assert _left_out(FILMS, [*EVERYTHING, *switched]) == {
        "+ uniform negatives",
        "histories with attention",
        "one epoch of refit on train and valid",
    }


def _left_out(toml, overrides):
    return {v.name for v in VARIANTS} - {v.name for v in distinct(toml, overrides)}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_each_row_is_a_configuration_of_its_own(variant):
    assert load_config(FILMS, [*variant.overrides]).name == "movietweetings"
    assert find_variant(variant.name) == variant
    assert [v[1:] for v in VARIANTS].count(variant[1:]) == 1
