import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from trainer.data.evaluation_queries import build_queries
from trainer.data.popularity import PopularityClock, build_clock
from trainer.evaluation.baselines.interactions import (
    build_history_matrix,
    build_interaction_matrix,
)
from trainer.evaluation.baselines.neighbours import (
    LATEST_ITEMS,
    compute_similarities,
    rank_by_neighbours,
)
from trainer.evaluation.baselines.rank import rank_baselines

# Users' items; 0 is padding. Items 1 and 2 co-occur, so do 3 and 4; no user consumed 5.
CONSUMED = sparse.csr_matrix(
    np.array(
        [
            [0, 1, 1, 0, 0, 0],
            [0, 1, 1, 0, 0, 0],
            [0, 1, 0, 1, 1, 0],
            [0, 0, 0, 1, 1, 0],
            [0, 0, 0, 0, 1, 0],
        ],
        np.float32,
    )
)
COUNTS = np.array([0, 3, 2, 2, 3, 0])


def test_similarities_by_hand():
    result = compute_similarities(CONSUMED, neighbours=10, shrinkage=2.0).toarray()
    expected = np.zeros((6, 6))
    expected[1, 2] = expected[2, 1] = 2 / (6**0.5 + 2)
    expected[1, 3] = expected[3, 1] = 1 / (6**0.5 + 2)
    expected[1, 4] = expected[4, 1] = 1 / (9**0.5 + 2)
    expected[3, 4] = expected[4, 3] = 2 / (6**0.5 + 2)
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_without_shrinkage_it_is_the_cosine():
    similarities = compute_similarities(CONSUMED, neighbours=10, shrinkage=0.0)
    assert similarities[1, 4] == pytest.approx(1 / 3)
    assert similarities[3, 4] == pytest.approx(2 / 6**0.5)


def test_only_the_most_similar_items_are_selected_and_ties_go_to_the_lower_index():
    similarities = compute_similarities(CONSUMED, neighbours=1, shrinkage=2.0)
    assert np.diff(similarities.indptr).tolist() == [0, 1, 1, 1, 1, 0]
    assert similarities.indices.tolist() == [2, 1, 4, 3]
    alike = sparse.csr_matrix(np.array([[0, 1, 1, 1]], np.float32))
    assert compute_similarities(alike, 1, 0.0).indices.tolist() == [2, 1, 1]


def test_more_items_than_one_block():
    """Items 2 i and 2 i + 1 are each other's only neighbour."""
    pairs = sparse.csr_matrix(np.kron(np.eye(600), [[1, 1]]).astype(np.float32))
    similarities = compute_similarities(pairs, 5, 0.0)
    assert similarities.indices.tolist() == [index ^ 1 for index in range(1200)]
    np.testing.assert_allclose(similarities.data, 1)


def test_lists_rank_by_history_then_by_popularity():
    similar = compute_similarities(CONSUMED, neighbours=10, shrinkage=2.0)
    by_neighbours = rank_by_neighbours([np.array([2]), np.array([3]), np.zeros(0, int)], similar,
                                  COUNTS, 5)  # fmt: skip
    # of 2: 1 is similar, then by popularity 4, 3, 5; of 3: 4 before 1; without history: popular
    assert by_neighbours.tolist() == [[1, 4, 3, 5, 0], [4, 1, 2, 5, 0], [1, 4, 2, 3, 5]]


def test_a_history_of_several_items_adds_up():
    similar = sparse.csr_matrix(
        np.array([[0, 0, 0, 0, 0], [0, 0, 0, 0.5, 0.4], [0, 0, 0, 0, 0.4], *np.zeros((2, 5))])
    )
    by_neighbours = rank_by_neighbours([np.array([1, 2]), np.array([1])], similar, np.zeros(5), 2)
    assert by_neighbours.tolist() == [[4, 3], [3, 4]]


def test_a_log_without_co_occurrences_gives_popular_items():
    similar = compute_similarities(sparse.csr_matrix(np.eye(3, dtype=np.float32)))
    assert similar.nnz == 0
    assert rank_by_neighbours([np.array([1])], similar, np.array([0, 1, 1]), 2).tolist() == [[2, 0]]


@given(
    st.lists(st.sets(st.integers(1, 7), max_size=7), min_size=1, max_size=8),
    st.sets(st.integers(1, 7), max_size=6),
)
def test_no_list_repeats_an_item_or_shows_one_of_the_history(users, history):
    items = build_history_matrix([np.array(sorted(u), int) for u in users], 8)
    similar = compute_similarities(items)
    counts = np.asarray(items.sum(axis=0)).ravel()
    interacted = np.array(sorted(history), int)
    row = rank_by_neighbours([interacted], similar, counts, 7)[0]
    assert sorted(row[row > 0].tolist()) == sorted(set(range(1, 8)) - history)


def test_the_matrix_has_each_earlier_interaction_once(timelines_of):
    train = timelines_of([(b"a", 1, [1, 2, 1], [0, 5, 6], 0), (b"b", 2, [2], [9], 0)])
    valid = timelines_of([(b"a", 1, [1, 2, 1, 3], [0, 5, 6, 7], 3), (b"c", 0, [3], [20], 0)])
    clock = build_clock([train, valid], 5)
    assert build_interaction_matrix(clock, 7).toarray().tolist() == [
        [0, 1, 1, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert build_interaction_matrix(clock, 21).toarray().tolist() == [
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
    ]


def test_only_the_latest_items_of_a_long_history_are_used(timelines_of):
    """User a consumes 4, 1, 2, 3, 1 in this order: the last three distinct items are 1, 3 and 2."""
    train = timelines_of([(b"a", 1, [4, 1, 2, 3, 1], [0, 1, 2, 3, 4], 0), (b"b", 2, [4], [2], 0)])
    clock = build_clock([train], 5)
    assert build_interaction_matrix(clock, 9, most=3).toarray().tolist() == [
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 1],
    ]
    assert build_interaction_matrix(clock, 4, most=1).toarray().tolist() == [
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
    ]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), min_size=1, max_size=40),
    st.integers(1, 7),
)
def test_latest_items_are_those_that_a_walk_back_meets_first(events, most):
    user, item = (np.array(column) for column in zip(*events, strict=True))
    when = np.arange(len(events))
    clock = PopularityClock(when, item.astype(np.int32), user, 7)
    expected = np.zeros((int(user.max()) + 1, 7))
    for one, other in reversed(events):
        if expected[one].sum() < most:
            expected[one, other] = 1
    interaction_matrix = build_interaction_matrix(clock, len(events), most)
    assert interaction_matrix.toarray().tolist() == expected.tolist()


def test_the_baseline_counts_pairs_of_a_bounded_number_of_items(timelines_of):
    """One user consumes 100 items more than the bound: the oldest are not neighbours of any item,
    although ties in similarity go to the lower index.
    """
    size = LATEST_ITEMS + 100
    items = list(range(1, size + 1))
    train = timelines_of([(b"a", 1, items, items, 0)])
    queries = build_queries(timelines_of([(b"c", 2, [300, 2], [0, size + 9], 1)]), size + 5)
    baselines = rank_baselines(build_clock([train], size + 1), queries, 7, 5)
    assert baselines["item_neighbours"].tolist() == [[101, 102, 103, 104, 105]]
