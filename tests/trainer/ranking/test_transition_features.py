"""Scores looked up in tiny tables, by hand; and the order that they teach ranking."""

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from trainer.data.item_transitions import ItemTransitions, build_transitions
from trainer.data.popularity import PopularityClock
from trainer.data.transition_table import NO_ITEM, TransitionTable, build_transition_table
from trainer.ranking.transition_features import TransitionScores, weigh_recent

# 1 leads to 2 (0.5) and 4 (2.0), 2 to 4 (1.0), 3 to 1 (0.25); 4 to none
TABLE = TransitionTable(
    np.array(
        [[NO_ITEM, NO_ITEM], [2, 4], [4, NO_ITEM], [1, NO_ITEM], [NO_ITEM, NO_ITEM]], np.int32
    ),
    np.array([[0, 0], [0.5, 2.0], [1.0, 0], [0.25, 0], [0, 0]], np.float32),
)


def look_up(history, candidates, table=TABLE):
    """[c, 2] scores, without the logarithm."""
    features = TransitionScores(table)(
        tf.constant([history], tf.int32), tf.constant([candidates], tf.int32)
    )
    return np.expm1(features.numpy()[0].astype(np.float64)) / 100


def test_the_newest_item_counts_fully_and_older_ones_less():
    """Newest first: 1 (weight 1), 2 (0.55), 3 (0.55²)."""
    np.testing.assert_allclose(
        look_up([3, 2, 1], [1, 2, 3, 4]),
        [[0.55**2 * 0.25, 0], [0.5, 0.5], [0, 0], [2 + 0.55, 2]],
        rtol=1e-4,
    )


def test_the_features_are_logarithms():
    features = TransitionScores(TABLE)(tf.constant([[1]]), tf.constant([[4, 3]]))
    np.testing.assert_allclose(features, [[[np.log(201)] * 2, [0, 0]]], rtol=1e-6)


def test_padding_and_unknown_items_match_nothing():
    assert look_up([0, 0], [0, 1, 4]).tolist() == [[0, 0]] * 3
    assert look_up([], [0, 1, 4]).tolist() == [[0, 0]] * 3
    assert look_up([1], [0]).tolist() == [[0, 0]]
    np.testing.assert_array_equal(look_up([0, 2, 0, 1, 0], [2, 4]), look_up([2, 1], [2, 4]))


def test_an_item_added_after_training_has_no_transitions_and_is_the_newest_all_the_same():
    np.testing.assert_allclose(look_up([1, 9], [4, 9, 7]), [[1.1, 0], [0, 0], [0, 0]], rtol=1e-4)
    assert look_up([9], [4, 9, NO_ITEM]).tolist() == [[0, 0]] * 3


def test_a_repeated_item_counts_once_as_the_newest():
    np.testing.assert_allclose(look_up([2, 1, 2, 1, 1], [4]), [[2 + 0.55, 2]], rtol=1e-4)


def test_only_five_events_count():
    assert look_up([3, 2, 1, 2, 1, 4], [1]).tolist() == [[0, 0]]


def test_weights_by_hand():
    recent = tf.constant([[7, 3, 7, 2, 0], [0] * 5, [1, 1, 1, 1, 1]])
    np.testing.assert_allclose(
        weigh_recent(recent), [[1, 0.55, 0, 0.55**2, 0], [0] * 5, [1, 0, 0, 0, 0]], rtol=1e-6
    )


def test_another_table_replaces_the_first():
    layer = TransitionScores(TABLE)
    items = np.full((5, 2), NO_ITEM, np.int32)
    items[1, 0] = 3
    layer.replace(TransitionTable(items, np.array([[0, 0], [4, 0], *[[0, 0]] * 3], np.float32)))
    features = layer(tf.constant([[1]]), tf.constant([[2, 3, 4]])).numpy()[0]
    np.testing.assert_allclose(features, [[0, 0], [np.log(401)] * 2, [0, 0]], rtol=1e-6)


INDICES = st.lists(st.integers(0, 6), min_size=4, max_size=4)


@given(st.lists(st.tuples(INDICES, INDICES), min_size=1, max_size=4))
def test_a_query_has_the_same_scores_alone_and_in_a_batch(rows):
    layer = TransitionScores(TABLE)
    history, candidates = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    together = layer(tf.constant(history), tf.constant(candidates))
    for row in range(len(rows)):
        alone = layer(tf.constant(history[row : row + 1]), tf.constant(candidates[row : row + 1]))
        np.testing.assert_array_equal(alone[0], together[row])


@given(st.lists(st.integers(1, 8), min_size=1, max_size=5))
def test_scores_are_those_of_the_baseline_without_its_second_hop(history):
    """In a catalogue so small that no transition is cut off."""
    rng = np.random.default_rng(2)
    clock = PopularityClock(
        np.arange(60), rng.integers(1, 9, 60).astype(np.int32), rng.integers(0, 9, 60), 9
    )
    graph = ItemTransitions(build_transitions(clock, 60).successors, sparse.csr_matrix((9, 9)))
    expected = graph.score([np.array(list(dict.fromkeys(reversed(history))))]).toarray()[0]
    received = look_up(history, list(range(9)), build_transition_table(clock))
    np.testing.assert_allclose(received[:, 0], expected, rtol=1e-3, atol=1e-6)


def test_it_compiles_with_xla():
    layer = TransitionScores(TABLE)
    history, candidates = tf.constant([[3, 2, 1], [0, 0, 2]]), tf.constant([[1, 4], [4, 0]])
    compiled = tf.function(layer, jit_compile=True, autograph=False)
    np.testing.assert_allclose(compiled(history, candidates), layer(history, candidates), rtol=1e-6)


def test_its_variables_are_not_trained():
    layer = TransitionScores(TABLE)
    assert layer.trainable_variables == []
    assert len(layer.variables) == 2
