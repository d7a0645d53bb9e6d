import numpy as np
import pytest
import tensorflow as tf

from schema.errors import NotBlessed
from serving import index_build
from serving.config import IndexConfig

VECTORS = np.random.default_rng(0).normal(size=(150, 4)).astype(np.float32)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (IndexConfig(kind="auto", exact_below=151), "exact"),
        (IndexConfig(kind="auto", exact_below=150), "scann"),
        (IndexConfig(kind="exact", exact_below=1), "exact"),
        (IndexConfig(kind="scann", exact_below=20_000), "scann"),
    ],
)
def test_the_kind_is_what_is_asked_for_and_auto_goes_by_size(config, kind):
    assert index_build.build(VECTORS, config).kind == kind


def test_ann_recall_by_hand():
    exact = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    found = np.array([[4, 3, 2, 1], [5, 6, 0, 0], [1, 2, 3, 4]])
    assert index_build.ann_recall(found, exact) == pytest.approx((1 + 0.5 + 0) / 3)


def test_exact_search_has_full_ann_recall():
    measured = index_build.measure(
        index_build.build(VECTORS, IndexConfig(kind="exact")), VECTORS, VECTORS[:7]
    )
    assert measured["kind"] == "exact"
    assert measured["items"] == 150
    assert measured["ann_recall@100"] == 1.0
    assert float(str(measured["p50_ms"])) > 0
    assert float(str(measured["exact_p50_ms"])) > 0


class Blind(tf.Module):
    """Always answers the first 100 positions."""

    kind = "blind"

    def search(self, queries, excluded, k):
        positions = tf.repeat(tf.range(1, k + 1)[tf.newaxis], tf.shape(queries)[0], axis=0)
        return positions, tf.zeros_like(positions, tf.float32)


def test_an_index_that_does_not_look_is_found_out():
    """Of the true 100 neighbours among 150 it has those that happen to stand first."""
    queries = VECTORS[:5]
    nearest = np.argsort(-(queries @ VECTORS.T), axis=1)[:, :100]
    measured = index_build.measure(Blind(), VECTORS, queries)
    assert measured["ann_recall@100"] == pytest.approx((nearest < 100).mean())
    with pytest.raises(NotBlessed, match=r"at least 0\.9, received 0\.\d{3}; raise"):
        index_build.require(measured, IndexConfig())


def test_ann_recall_at_the_threshold_is_enough():
    index_build.require({"ann_recall@100": 0.9}, IndexConfig(min_ann_recall=0.9))
