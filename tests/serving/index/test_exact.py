import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from serving.index.build import save_index
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex

ITEMS, DIM = 12, 3
VECTORS = np.random.default_rng(1).normal(size=(ITEMS, DIM)).astype(np.float32)
QUERIES = np.random.default_rng(2).normal(size=(4, DIM)).astype(np.float32)


@pytest.fixture(scope="module")
def index():
    return ExactIndex(VECTORS)


def _search(index, queries, excluded, k):
    positions, scores = index.search(
        tf.constant(queries),
        tf.constant(excluded, tf.int32),
        tf.zeros([len(queries), 0], tf.int32),
        tf.constant(k),
    )
    return positions.numpy(), scores.numpy()


def test_results_equal_a_search_with_numpy(index):
    positions, scores = _search(index, QUERIES, np.zeros((4, 0)), 5)
    products = QUERIES @ VECTORS.T
    order = np.argsort(-products, axis=1)[:, :5]
    np.testing.assert_array_equal(positions, order + 1)
    np.testing.assert_allclose(scores, np.take_along_axis(products, order, axis=1), rtol=1e-5)


def test_k_beyond_the_catalogue_gives_all_of_it(index):
    positions, _ = _search(index, QUERIES, np.zeros((4, 1)), 100)
    assert positions.shape == (4, ITEMS)
    assert all(sorted(row) == list(range(1, ITEMS + 1)) for row in positions.tolist())


def test_a_query_that_excludes_everything_returns_nothing(index):
    excluded = np.tile(np.arange(1, ITEMS + 1), (4, 1))
    positions, scores = _search(index, QUERIES, excluded, 3)
    assert not positions.any()
    assert np.isneginf(scores).all()


@given(
    excluded=st.lists(
        st.lists(st.integers(0, ITEMS), min_size=6, max_size=6), min_size=4, max_size=4
    ),
    k=st.integers(1, ITEMS + 3),
)
def test_only_excluded_items_are_absent(index, excluded, k):
    """0 means no item, and an item may be excluded twice."""
    positions, scores = _search(index, QUERIES, np.array(excluded), k)
    products = QUERIES @ VECTORS.T
    for row, out in enumerate(excluded):
        eligible = sorted(set(range(1, ITEMS + 1)) - set(out), key=lambda p: -products[row, p - 1])
        expected = eligible[:k]
        width = min(k, ITEMS)
        assert positions[row].tolist() == expected + [0] * (width - len(expected))
        assert np.isneginf(scores[row, len(expected) :]).all()


@given(
    items=st.lists(st.lists(st.integers(0, ITEMS), min_size=6, max_size=6), min_size=4, max_size=4),
    k=st.integers(1, ITEMS + 3),
)
def test_among_given_items_the_best_are_found_once_each(index, items, k):
    positions, scores = _search_among(index, items, k)
    products = QUERIES @ VECTORS.T
    width = min(k, ITEMS)
    for row, given_items in enumerate(items):
        order = sorted(set(given_items) - {0}, key=lambda p: -products[row, p - 1])[:k]
        assert positions[row].tolist() == order + [0] * (width - len(order))
        expected = products[row, np.array(order, int) - 1]
        np.testing.assert_allclose(scores[row, : len(order)], expected, rtol=1e-4, atol=1e-5)
        assert np.isneginf(scores[row, len(order) :]).all()


def test_among_given_items_unavailable_ones_and_other_categories_are_not_found():
    available = np.arange(ITEMS) % 4 > 0  # not items 1, 5 and 9
    categories = np.where(np.arange(ITEMS) % 2, 1, 2)[:, np.newaxis].astype(np.int32)
    index = ExactIndex(VECTORS, Eligibility(available, categories))
    items = np.tile(np.arange(1, 7), (4, 1))
    positions, _ = _search_among(index, items, 6)
    assert [sorted(row) for row in positions.tolist()] == [[0, 0, 2, 3, 4, 6]] * 4
    positions, _ = _search_among(index, items, 6, allowed=[[1]] * 4)
    assert [sorted(row) for row in positions.tolist()] == [[0, 0, 0, 2, 4, 6]] * 4


def _search_among(index, items, k, allowed=((), (), (), ())):
    positions, scores = index.search_among(
        tf.constant(QUERIES),
        tf.constant(items, tf.int32),
        tf.constant(allowed, tf.int32, [4, len(allowed[0])]),
        tf.constant(k),
    )
    return positions.numpy(), scores.numpy()


def test_a_batch_gives_the_same_as_its_rows_alone(index):
    excluded = np.array([[1, 2], [3, 0], [0, 0], [12, 11]])
    together, scores = _search(index, QUERIES, excluded, 4)
    for row in range(4):
        single = _search(index, QUERIES[row : row + 1], excluded[row : row + 1], 4)
        assert single[0][0].tolist() == together[row].tolist()
        np.testing.assert_allclose(single[1][0], scores[row], rtol=1e-5)


def test_a_saved_index_gives_the_same(tmp_path):
    before = _search(ExactIndex(VECTORS), QUERIES, np.ones((4, 1)), 4)
    save_index(ExactIndex(VECTORS), DIM, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    after = _search(loaded, QUERIES, np.ones((4, 1)), 4)
    assert after[0].tolist() == before[0].tolist()
    np.testing.assert_allclose(after[1], before[1], rtol=1e-5)
