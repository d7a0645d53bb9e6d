"""Popularity follows Zipf's law; words and categories reveal taste."""

import numpy as np
import pytest

from pipeline.simulator.catalogue import compute_zipf_shares, draw_catalogue
from pipeline.simulator.vocabulary import DEPARTMENTS, STYLES


@pytest.fixture(scope="module")
def catalogue():
    return draw_catalogue(np.random.default_rng(3), 2000)


def test_zipf_by_hand():
    # 1, 1/2, 1/3 over their sum 11/6.
    np.testing.assert_allclose(compute_zipf_shares(3, exponent=1.0), [6 / 11, 3 / 11, 2 / 11])


def test_popularity_falls_with_rank_at_zipfs_slope(catalogue):
    shares = np.sort(catalogue.popularity)[::-1]
    slope = np.polyfit(np.log(np.arange(1, 2001)), np.log(shares), 1)[0]
    assert slope == pytest.approx(-0.8)
    assert shares.sum() == pytest.approx(1.0)


def test_popularity_is_not_in_order_of_number(catalogue):
    correlation = np.corrcoef(np.arange(2000), catalogue.popularity)[0, 1]
    assert abs(correlation) < 0.1


def test_titles_are_a_style_a_material_and_a_noun_of_the_category(catalogue):
    departments = list(DEPARTMENTS.values())
    for title, category in zip(catalogue.titles, catalogue.category, strict=True):
        style, material, noun = title.split(" ")
        assert style in STYLES
        assert material in departments[category].materials
        assert noun in departments[category].nouns


def test_items_that_share_words_are_nearer_than_others(catalogue):
    likeness = catalogue.taste @ catalogue.taste.T
    nouns = np.array([title.split(" ")[2] for title in catalogue.titles])
    styles = np.array([title.split(" ")[0] for title in catalogue.titles])
    same_category = catalogue.category[:, None] == catalogue.category
    same_noun = nouns[:, None] == nouns
    same_style = styles[:, None] == styles
    apart = ~np.eye(2000, dtype=bool)
    assert likeness[same_category & apart].mean() > likeness[~same_category].mean() + 0.3
    assert likeness[same_noun & apart].mean() > likeness[same_category & ~same_noun].mean() + 0.05
    assert (
        likeness[same_style & ~same_category].mean()
        > likeness[~same_style & ~same_category].mean() + 0.05
    )


def test_items_that_share_tags_are_nearer(catalogue):
    likeness = catalogue.taste @ catalogue.taste.T
    first = catalogue.tags[:, 0]
    same = first[:, None] == first
    assert likeness[same].mean() > likeness[~same].mean() + 0.1
    assert all(len(set(row)) == 3 for row in catalogue.tags.tolist())


def test_tastes_have_length_one_and_prices_are_positive(catalogue):
    np.testing.assert_allclose((catalogue.taste**2).sum(axis=1), 1.0)
    assert (catalogue.price > 0).all()
