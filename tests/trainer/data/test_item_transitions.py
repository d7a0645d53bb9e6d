"""Transitions of tiny logs, counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from trainer.data.item_transitions import (
    LATEST_EVENTS,
    SUCCESSORS,
    ItemTransitions,
    build_transitions,
    count_transitions,
)
from trainer.data.popularity import PopularityClock


def clock_of(events, size):
    """`events` are (user, item), one second apart, from second 0 on."""
    user, item = (np.array(column) for column in zip(*events, strict=True))
    return PopularityClock(np.arange(len(events)), item.astype(np.int32), user, size)


def test_pairs_up_to_three_positions_apart_count():
    counts = count_transitions(np.zeros(5, int), np.array([1, 2, 3, 4, 5]), 6).toarray()
    expected = np.zeros((6, 6))
    expected[1, 2] = expected[2, 3] = expected[3, 4] = expected[4, 5] = 1
    expected[1, 3] = expected[2, 4] = expected[3, 5] = 0.7
    expected[1, 4] = expected[2, 5] = 0.5
    np.testing.assert_allclose(counts, expected)


def test_no_pair_joins_two_users_or_an_item_with_itself():
    user, item = np.array([0, 0, 0, 1, 1]), np.array([1, 1, 2, 3, 2])
    counts = count_transitions(user, item, 4).toarray()
    assert {(row, column): counts[row, column] for row, column in np.argwhere(counts)} == {
        (1, 2): 1.7,  # from both events of item 1
        (3, 2): 1,
    }


def test_one_event_or_none_has_no_transitions():
    assert count_transitions(np.array([0]), np.array([1]), 3).nnz == 0
    assert count_transitions(np.zeros(0, int), np.zeros(0, int), 3).nnz == 0


def test_strength_falls_with_the_events_of_both_items():
    """Two users consume 1, then 2; a third consumes 1, then 3; a fourth only 2."""
    events = [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 3), (3, 2)]
    strengths = build_transitions(clock_of(events, 4), 99).successors.toarray()
    expected = np.zeros((4, 4))
    expected[1, 2] = 2 / (3**0.5 * 3**0.15)
    expected[1, 3] = 1 / 3**0.5
    expected[2, 1] = 0.2 / (3**0.5 * 3**0.15)
    expected[3, 1] = 0.1 / 3**0.15
    np.testing.assert_allclose(strengths, expected)


def test_scores_of_the_latest_items_and_of_a_second_hop():
    """1 leads to 2 and 2 to 3, with strength 1 each; the newest item counts most."""
    rows, columns = np.array([[1, 2], [2, 3]])
    edges = np.zeros((5, 5))
    edges[rows, columns] = 1
    graph = ItemTransitions(sparse.csr_matrix(edges), sparse.csr_matrix(edges))
    scores = graph.score([np.array([1]), np.array([1, 2]), np.array([2, 1]), np.zeros(0, int)])
    np.testing.assert_allclose(
        scores.toarray(),
        [[0, 0, 1, 0.3, 0], [0, 0, 1, 0.55 + 0.3, 0], [0, 0, 0.55, 1 + 0.55 * 0.3, 0], [0] * 5],
    )


def test_only_the_latest_five_items_of_a_history_are_scored():
    edges = np.zeros((8, 8))
    edges[5, 6] = edges[7, 1] = 1
    graph = ItemTransitions(sparse.csr_matrix(edges), sparse.csr_matrix(np.zeros((8, 8))))
    scores = graph.score([np.array([1, 2, 3, 4, 5, 7])]).toarray()[0]
    assert np.flatnonzero(scores).tolist() == [6]
    assert scores[6] == pytest.approx(0.55**4)


def test_an_item_has_a_bounded_number_of_successors_the_strongest_ones():
    """Item 1 leads to 300 items, to the last 50 of them twice."""
    followers = [*range(2, 302), *range(252, 302)]
    events = [event for user, item in enumerate(followers) for event in ((user, 1), (user, item))]
    graph = build_transitions(clock_of(events, 302), len(events))
    assert np.diff(graph.successors.indptr).max() == SUCCESSORS
    expected = {*range(2, 2 + SUCCESSORS - 50), *range(252, 302)}  # ties: the lower index
    assert set(np.flatnonzero(graph.successors.toarray()[1])) == expected
    assert set(np.flatnonzero(graph.strongest.toarray()[1])) == set(range(252, 302))


def test_only_the_latest_events_of_a_long_sequence_are_used():
    items = np.arange(1, LATEST_EVENTS + 11)
    events = [(0, item) for item in items]
    graph = build_transitions(clock_of(events, len(items) + 1), len(events))
    assert np.flatnonzero(np.diff(graph.successors.indptr))[0] == 11


def test_blocks_do_not_change_the_graph(monkeypatch):
    rng = np.random.default_rng(0)
    events = list(zip(rng.integers(0, 9, 200), rng.integers(1, 20, 200), strict=True))
    whole = build_transitions(clock_of(events, 20), 150).successors
    monkeypatch.setattr("trainer.data.item_transitions._BLOCK_ITEMS", 3)
    parts = build_transitions(clock_of(events, 20), 150).successors
    assert (whole.indptr.tolist(), whole.indices.tolist(), whole.data.tolist()) == (
        parts.indptr.tolist(), parts.indices.tolist(), parts.data.tolist(),
    )  # fmt: skip


EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=30)


@given(EVENTS.filter(len), EVENTS)
def test_later_events_do_not_matter(before, after):
    known, all_events = clock_of(before, 7), clock_of(before + after, 7)
    expected = build_transitions(known, len(before))
    received = build_transitions(all_events, len(before))
    assert expected.successors.toarray().tolist() == received.successors.toarray().tolist()
    assert expected.strongest.toarray().tolist() == received.strongest.toarray().tolist()


@given(EVENTS.filter(len))
def test_a_pair_counted_by_a_walk_over_each_sequence(events):
    weights = {1: 1.0, 2: 0.7, 3: 0.5}
    expected = np.zeros((7, 7))
    for one in {user for user, _ in events}:
        items = [item for user, item in events if user == one]
        for position, item in enumerate(items):
            for distance, weight in weights.items():
                later = items[position + distance : position + distance + 1]
                for other in later:
                    expected[item, other] += weight * (item != other)
    ordered = sorted(events, key=lambda event: event[0])
    user, item = (np.array(column) for column in zip(*ordered, strict=True))
    np.testing.assert_allclose(count_transitions(user, item, 7).toarray(), expected)
