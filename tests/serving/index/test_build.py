import numpy as np
import pytest

from schema.errors import DataRefused, NotBlessed
from serving.config import IndexConfig
from serving.index.build import BuiltIndex, build_index, measure_index, require_recall
from serving.index.eligibility import Eligibility
from serving.index.ivf import IvfIndex

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(6400, 8)).astype(np.float32)
QUERIES = RNG.normal(size=(300, 8)).astype(np.float32)
EVERYTHING = Eligibility.of_all(6400)
NOTHING = np.zeros((44, 0), np.int32)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (IndexConfig(kind="auto", exact_below=6401), "exact"),
        (IndexConfig(kind="auto", exact_below=6400), "scann"),
        (IndexConfig(kind="exact", exact_below=1), "exact"),
        (IndexConfig(kind="ivf", exact_below=20_000), "ivf"),
    ],
)
def test_the_kind_is_as_configured_and_auto_depends_on_size(config, kind):
    easy = config.model_copy(update={"target_ann_recall": 0.01, "tuning_seconds": 1e-9})
    assert build_index(VECTORS, EVERYTHING, QUERIES[:20], easy).index.kind == kind


def test_exact_search_has_full_ann_recall():
    built = build_index(VECTORS, EVERYTHING, QUERIES, IndexConfig(kind="exact"))
    measured = measure_index(built, VECTORS, EVERYTHING, QUERIES[:7])
    assert (measured["kind"], measured["items"], measured["queries"]) == ("exact", 6400, 7)
    assert measured["ann_recall@100"] == 1.0
    assert measured["frontier"] == []
    assert measured["p50_ms"] > 0


@pytest.mark.parametrize("kind", ["exact", "ivf", "scann"])
def test_items_with_equal_vectors_are_interchangeable(kind):
    """Fifty items are nearer than 350 equal ones, of which an exact list contains about fifty."""
    vectors = np.concatenate([RNG.normal(4, 1, (50, 8)), np.ones((350, 8))]).astype(np.float32)
    queries = np.abs(QUERIES[:20])
    everything = Eligibility.of_all(400)
    config = IndexConfig(kind=kind, tuning_seconds=1e-9)
    built = build_index(vectors, everything, queries, config)
    measured = measure_index(built, vectors, everything, queries)
    assert measured["ann_recall@100"] == 1.0
    require_recall(measured, config)


@pytest.mark.parametrize("kind", ["ivf", "scann"])
def test_a_tuned_index_reaches_its_target_on_held_out_queries(kind):
    """It searches some leaves only; the expected neighbours are computed from all products."""
    config = IndexConfig(kind=kind, target_ann_recall=0.5, tuning_seconds=1e-9)
    built = build_index(VECTORS, EVERYTHING, QUERIES, config)
    measured = measure_index(built, VECTORS, EVERYTHING, QUERIES)
    assert measured["kind"] == built.index.kind == kind
    assert measured["queries"] == 44  # 300 minus the 256 that it was tuned with
    positions, _ = built.index.search(QUERIES[256:], NOTHING, NOTHING, 100)
    nearest = np.argsort(-(QUERIES[256:] @ VECTORS.T), axis=1)[:, :100] + 1  # 0 means no item
    shared = [
        len(set(row) & set(best)) for row, best in zip(positions.numpy(), nearest, strict=True)
    ]
    assert np.mean(shared) / 100 == pytest.approx(measured["ann_recall@100"], abs=0.01)
    assert np.mean(shared) / 100 >= 0.49
    assert 1 < measured["parameters"]["probes"] < measured["parameters"]["leaves"] / 2
    recalls = [row["ann_recall@100"] for row in measured["frontier"]]
    assert recalls == sorted(recalls)
    require_recall(measured, config)


def test_an_index_below_its_target_is_refused_with_the_frontier():
    """One leaf of twenty, with about 320 items, contains far fewer than all of the neighbours."""
    built = BuiltIndex(IvfIndex(VECTORS, EVERYTHING, 20, 1), [])
    measured = measure_index(built, VECTORS, EVERYTHING, QUERIES)
    row = {"ann_recall@100": 0.25, "p50_ms": 1.5, "parameters": {"leaves": 20, "probes": 1}}
    with pytest.raises(
        NotBlessed,
        match=r"at least 0\.95 from the index, received 0\.\d{3} on 44 queries(.|\n)*"
        r"recall@100 0\.250 at 1\.50 ms: leaves 20, probes 1",
    ):
        require_recall(measured | {"frontier": [row]}, IndexConfig())


def test_ann_recall_at_the_target_is_enough():
    require_recall({"ann_recall@100": 0.9}, IndexConfig(target_ann_recall=0.9))


def test_a_catalogue_without_available_items_is_refused():
    nothing = Eligibility(np.zeros(6400, bool), EVERYTHING.categories)
    with pytest.raises(DataRefused, match="at least one available item, received 6400 items"):
        build_index(VECTORS, nothing, QUERIES, IndexConfig())


def test_vectors_with_nan_or_infinity_are_refused():
    vectors = VECTORS.copy()
    vectors[[7, 9], 2] = np.nan, np.inf
    with pytest.raises(DataRefused, match=r"received 2 with NaN.*number 7"):
        build_index(vectors, EVERYTHING, QUERIES, IndexConfig())
