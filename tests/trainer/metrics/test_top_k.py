import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trainer.metrics.top_k import (
    BLOCK_ROWS,
    iterate_blocks,
    rank_nearest,
    rank_popular,
    select_top_k,
)

NOTHING = np.zeros(0, np.int32)


def test_items_are_best_first_without_interacted_items():
    scores = np.array([[9.0, 0.1, 0.4, 0.3, 0.2], [9.0, 0.1, 0.4, 0.3, 0.2]])
    lists = select_top_k(scores, [NOTHING, np.array([2, 4])], 3)
    assert lists.tolist() == [[2, 3, 4], [3, 1, 0]]


def test_equal_scores_go_to_the_lower_index_at_the_edge_too():
    scores = np.zeros((1, 1000), np.float32)
    scores[0, 700] = 1.0
    lists = select_top_k(scores, [np.array([2])], 5)
    assert lists.tolist() == [[700, 1, 3, 4, 5]]


def test_k_beyond_the_catalogue_leaves_zeros():
    lists = select_top_k(np.array([[0.0, 2.0, 1.0]]), [np.array([1])], 100)
    assert lists.tolist() == [[2, 0, 0]]


@given(
    scores=hnp.arrays(np.float32, (3, 12), elements=st.integers(-3, 3).map(float)),
    interacted=st.lists(st.lists(st.integers(1, 11), max_size=11), min_size=3, max_size=3),
    k=st.integers(1, 12),
)
def test_lists_are_a_stable_sort_of_the_other_items(scores, interacted, k):
    top_k = select_top_k(scores.copy(), [np.array(s, np.int64) for s in interacted], k)
    for row, items, positions in zip(scores, interacted, top_k, strict=True):
        left = [i for i in range(1, 12) if i not in items]
        expected = sorted(left, key=lambda i: (-row[i], i))[:k]
        assert positions.tolist() == expected + [0] * (k - len(expected))


def test_popular_lists_differ_only_by_interacted_items():
    lists = rank_popular(np.array([0, 5, 9, 5]), [NOTHING, np.array([2]), np.array([1, 2])], 2)
    assert lists.tolist() == [[2, 1], [1, 3], [3, 0]]


def test_nearest_is_the_largest_dot_product_over_several_slices():
    rng = np.random.default_rng(3)
    queries = rng.normal(size=(BLOCK_ROWS + 7, 4)).astype(np.float32)
    vectors = rng.normal(size=(30, 4)).astype(np.float32)
    lists = rank_nearest(queries, vectors, [NOTHING] * len(queries), 6)
    scores = queries @ vectors.T
    assert lists.tolist() == (np.argsort(-scores[:, 1:], axis=1)[:, :6] + 1).tolist()


def test_slices_cover_the_total():
    assert list(iterate_blocks(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(iterate_blocks(0)) == []


def test_without_queries_there_are_no_lists():
    assert rank_popular(np.array([0, 5, 9]), [], 2).shape == (0, 2)
    vectors = np.ones((3, 4), np.float32)
    assert rank_nearest(np.zeros((0, 4), np.float32), vectors, [], 9).shape == (0, 3)
