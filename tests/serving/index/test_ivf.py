import numpy as np
import pytest
import tensorflow as tf

from serving.index.eligibility import Eligibility
from serving.index.ivf import IvfIndex

ITEMS, DIM = 300, 8
CODES = ("float32", "int8")


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(ITEMS, DIM)).astype(np.float32)
    return vectors, rng.normal(size=(5, DIM)).astype(np.float32)


def search(index, queries, k):
    nothing = np.zeros((len(queries), 0), np.int32)
    results = index.search(
        tf.constant(queries), tf.constant(nothing), tf.constant(nothing), tf.constant(k)
    )
    return tuple(values.numpy() for values in results)


@pytest.mark.parametrize("codes", CODES)
def test_with_all_leaves_results_equal_a_search_with_numpy(planted, codes):
    vectors, queries = planted
    index = IvfIndex(vectors, Eligibility.of_all(ITEMS), 6, 6, codes)
    positions, scores = search(index, queries, 10)
    tolerance = 1e-5 if codes == "float32" else 0.1
    for row, query in enumerate(queries):
        exact = vectors @ query
        np.testing.assert_allclose(scores[row], exact[positions[row] - 1], atol=tolerance)
        np.testing.assert_allclose(scores[row], np.sort(exact)[::-1][:10], atol=tolerance)


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("items", [1, 2, 5])
def test_tiny_catalogues(codes, items):
    """More leaves and more results are requested than there are items."""
    vectors = np.eye(8, dtype=np.float32)[:items]
    index = IvfIndex(vectors, Eligibility.of_all(items), 50, 9, codes)
    positions, scores = search(index, vectors, 7)
    assert positions.shape == (items, items)
    assert positions[:, 0].tolist() == list(range(1, items + 1))
    np.testing.assert_allclose(scores[:, 0], 1, atol=0.01)


@pytest.mark.parametrize("codes", CODES)
def test_equal_and_zero_vectors_are_items_like_others(codes):
    vectors = np.zeros((200, 4), np.float32)
    vectors[:150] = [1, 0, 0, 0]
    index = IvfIndex(vectors, Eligibility.of_all(200), 10, 1, codes)
    queries = np.array([[1, 0, 0, 0]], np.float32)
    positions, scores = search(index, queries, 180)
    assert len(set(positions[0].tolist())) == 180
    assert set(positions[0, :150].tolist()) == set(range(1, 151))
    np.testing.assert_allclose(scores[0], [1] * 150 + [0] * 30, atol=0.01)
