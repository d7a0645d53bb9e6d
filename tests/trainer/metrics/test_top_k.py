import numpy as np
import pytest
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


def test_ties_go_to_the_lower_index_also_at_the_edge():
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
        remaining = [i for i in range(1, 12) if i not in items]
        expected = sorted(remaining, key=lambda i: (-row[i], i))[:k]
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


@pytest.mark.parametrize(
    ("repeats", "expected"),
    [("exclude", [3, 1, 0]), ("allow", [4, 3, 2]), ("only", [4, 2, 0])],
)
def test_repeats_decide_which_items_a_list_holds(repeats, expected):
    """Item 0 is unknown, and not listed although it is in the history."""
    scores = np.array([[9.0, 1.0, 2.0, 3.0, 4.0]])
    history = [np.array([0, 2, 4])]
    assert select_top_k(scores.copy(), history, 3, repeats).tolist() == [expected]
    assert rank_popular(scores[0], history, 3, repeats).tolist() == [expected]
    items = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]], np.float32)
    assert rank_nearest(np.ones((1, 1), np.float32), items, history, 3, repeats).tolist() == [
        expected
    ]


@given(
    scores=st.lists(st.integers(-9, 9), min_size=8, max_size=8),
    history=st.sets(st.integers(1, 7)),
    k=st.integers(1, 9),
)
def test_new_and_repeated_items_together_are_all_items(scores, history, k):
    seen = [np.array(sorted(history), np.int64)]

    def items(repeats):
        result = select_top_k(np.array([scores], float), seen, k + 8, repeats)[0]
        return set(result.tolist()) - {0}

    assert items("only") == history
    assert items("exclude") == set(range(1, 8)) - history
    assert items("allow") == set(range(1, 8))
