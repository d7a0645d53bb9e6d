import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.errors import ConfigError
from serving import index_export
from serving.config import IndexConfig
from serving.scann_index import ScannIndex

ITEMS, DIM = 400, 8
CONFIG = IndexConfig(kind="scann", reordering=100, leaves_to_search_fraction=0.2)

_IN_A_FRESH_PROCESS = """
import sys
import numpy as np
import tensorflow as tf
from scann.scann_ops.py import scann_ops
folder = sys.argv[1]
asked = np.load(folder + "/asked.npz")
index = tf.saved_model.load(folder + "/index")
found = index.search(*(tf.constant(asked[name]) for name in ("queries", "excluded", "k")))
np.savez(folder + "/answered.npz", positions=found[0].numpy(), scores=found[1].numpy())
"""


@pytest.fixture(scope="module")
def planted():
    """Twenty tastes with twenty items each around them; queries ask for one taste each."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(20, DIM))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = np.repeat(centres, 20, axis=0) + rng.normal(size=(ITEMS, DIM)) * 0.05
    return vectors.astype(np.float32), centres.astype(np.float32)


@pytest.fixture(scope="module")
def index(planted):
    return ScannIndex(planted[0], CONFIG)


@pytest.fixture(scope="module")
def search(index):
    traced = tf.function(index.search, reduce_retracing=True)

    def ask(queries, excluded, k):
        found = traced(tf.constant(queries), tf.constant(excluded, tf.int32), tf.constant(k))
        return tuple(values.numpy() for values in found)

    return ask


def test_finds_the_items_of_the_taste_asked_for(planted, search):
    vectors, queries = planted
    positions, scores = search(queries, np.zeros((20, 0)), 10)
    assert positions.shape == (20, 10)
    products = queries @ vectors.T
    exact = np.argsort(-products, axis=1)[:, :10] + 1
    found = [len(set(a) & set(b)) for a, b in zip(positions.tolist(), exact.tolist(), strict=True)]
    assert np.mean(found) > 9
    np.testing.assert_allclose(
        scores, np.take_along_axis(products, positions - 1, axis=1), atol=1e-4
    )
    assert (np.diff(scores, axis=1) <= 0).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), excluded=st.integers(0, ITEMS), k=st.integers(1, 60))
def test_exclusions_are_kept_and_k_remain(planted, search, seed, excluded, k):
    """Also where whatever lies near the query is excluded."""
    vectors, queries = planted
    rng = np.random.default_rng(seed)
    query = queries[seed % 20][np.newaxis]
    nearest = np.argsort(-(query @ vectors.T)[0]) + 1
    out = nearest[:excluded] if seed % 2 else rng.permutation(nearest)[:excluded]
    padded = np.append(out, np.zeros(3, int))[np.newaxis]
    positions, scores = search(query, padded, k)
    row = positions[0][positions[0] > 0].tolist()
    assert positions.shape == (1, min(k, ITEMS))
    assert len(row) == len(set(row)) == min(k, ITEMS - excluded)
    assert not set(row) & set(out.tolist())
    assert np.isneginf(scores[0, len(row) :]).all()


def test_a_batch_answers_as_its_rows_alone(planted):
    """Where all partitions are looked into: which ones are is ScaNN's own affair."""
    vectors, queries = planted
    index = ScannIndex(vectors, CONFIG.model_copy(update={"leaves_to_search_fraction": 1.0}))
    excluded = np.random.default_rng(5).integers(0, ITEMS + 1, (20, 4)).astype(np.int32)
    together, _ = index.search(tf.constant(queries), tf.constant(excluded), tf.constant(7))
    for row in range(0, 20, 5):
        one = slice(row, row + 1)
        alone, _ = index.search(
            tf.constant(queries[one]), tf.constant(excluded[one]), tf.constant(7)
        )
        assert alone[0].numpy().tolist() == together[row].numpy().tolist()


def test_a_full_row_is_not_searched_again_for_the_sake_of_a_short_one(planted, search):
    """Row 0 loses all that lies near it; rows 1 to 19 answer as if it were not there."""
    vectors, queries = planted
    nothing = np.zeros((20, 200), np.int32)
    short = nothing.copy()
    short[0] = np.argsort(-(queries[:1] @ vectors.T)[0])[:200] + 1
    before, after = search(queries, nothing, 5), search(queries, short, 5)
    assert (after[0] > 0).all()
    np.testing.assert_array_equal(after[0][1:], before[0][1:])


def test_saved_and_loaded_in_a_fresh_process_it_answers_the_same(planted, tmp_path):
    vectors, queries = planted
    excluded = np.arange(20, dtype=np.int32)[:, np.newaxis] * 20 + 1
    k = np.int32(10)
    index = ScannIndex(vectors, CONFIG)
    before = index.search(tf.constant(queries), tf.constant(excluded), tf.constant(k))
    index_export.save(index, DIM, str(tmp_path / "index"))
    np.savez(tmp_path / "asked.npz", queries=queries, excluded=excluded, k=k)
    subprocess.run(
        [sys.executable, "-c", _IN_A_FRESH_PROCESS, str(tmp_path)], check=True, capture_output=True
    )
    after = np.load(tmp_path / "answered.npz")
    assert after["positions"].tolist() == before[0].numpy().tolist()
    np.testing.assert_allclose(after["scores"], before[1].numpy(), atol=1e-5)
    assert not (after["positions"] == excluded).any()


def test_too_few_items_are_refused_in_plain_words():
    with pytest.raises(ConfigError, match=r"at least 16 items.*received 15; set index.kind"):
        ScannIndex(np.ones((15, DIM), np.float32), CONFIG)
