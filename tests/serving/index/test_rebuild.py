"""An index of a changed catalogue keeps its setting while that reaches the target."""

import numpy as np
import pytest

from schema.errors import DataRefused
from serving.config import IndexConfig
from serving.index.build import rebuild_index
from serving.index.eligibility import Eligibility

IVF = IndexConfig(kind="ivf", target_ann_recall=0.9, tuning_seconds=1.0)


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def queries():
    return np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32)


def rebuild(vectors, queries, config, before):
    return rebuild_index(vectors, Eligibility.of_all(len(vectors)), queries, config, before)


def test_a_sufficient_setting_is_reused_without_tuning(vectors, queries):
    before = {"kind": "ivf", "parameters": {"leaves": 4, "probes": 4, "codes": "float32"}}
    built, measured = rebuild(vectors, queries, IVF, before)
    assert built.points == []
    assert measured["parameters"] == before["parameters"]
    assert measured["ann_recall@100"] == 1.0  # all leaves are read


def test_a_setting_that_misses_the_target_is_tuned_again(vectors, queries):
    """One leaf of two contains at least a hundred items, but not all of the nearest."""
    before = {"kind": "ivf", "parameters": {"leaves": 2, "probes": 1, "codes": "float32"}}
    built, measured = rebuild(vectors, queries, IVF, before)
    assert built.points
    assert measured["ann_recall@100"] >= 0.9


@pytest.mark.parametrize(
    "before", [{}, {"kind": "exact"}, {"kind": "scann", "parameters": {"leaves": 4, "probes": 1}}]
)
def test_the_setting_of_another_kind_is_ignored(vectors, queries, before):
    built, measured = rebuild(vectors, queries, IVF, before)
    assert built.points
    assert measured["kind"] == "ivf"


def test_a_small_catalogue_is_searched_exactly_regardless_of_the_previous_index(vectors, queries):
    before = {"kind": "ivf", "parameters": {"leaves": 4, "probes": 1}}
    _, measured = rebuild(vectors, queries, IndexConfig(), before)
    assert (measured["kind"], measured["ann_recall@100"]) == ("exact", 1.0)


def test_vectors_with_nan_are_refused(vectors, queries):
    broken = vectors.copy()
    broken[3, 2] = np.nan
    with pytest.raises(DataRefused, match="NaN"):
        rebuild(broken, queries, IVF, {})
