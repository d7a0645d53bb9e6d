"""Both Transforms on planted Examples, in memory."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_transform.tf_metadata import schema_utils

from trainer.data.preprocessing import ITEM_VOCABULARY, USER_VOCABULARY, split_words


@pytest.fixture(scope="module")
def items(planted):
    return planted.items_out, planted.items_graph


@pytest.fixture(scope="module")
def timelines(planted):
    return planted.timelines_out, planted.timelines_graph


def _words(graph, name):
    return pathlib.Path(graph.vocabulary_file_by_name(name)).read_bytes().split()


def _by_id(rows, key, name):
    """A feature by id; rows store the values of ragged features under a separate name."""
    return {row[key]: row[name] if name in row else row[f"{name}$ragged_values"] for row in rows}


def test_every_item_has_a_distinct_index_from_one_on(items):
    rows, graph = items
    index = _by_id(rows, "item_id", "item_index")
    words = _words(graph, ITEM_VOCABULARY)
    assert {item: int(at) for item, at in index.items()} == {w: i + 1 for i, w in enumerate(words)}
    assert sorted(words) == [b"a", b"b", b"c"]


def test_rare_values_and_missing_ones_are_zero(items):
    rows, graph = items
    assert _words(graph, "item_studio") == [b"x"]
    result = {k: int(v) for k, v in _by_id(rows, "item_id", "item_studio").items()}
    assert result == {b"a": 1, b"b": 1, b"c": 0}


def test_words_and_sets_become_lists_of_indices(items):
    rows, graph = items
    assert _words(graph, "item_name") == [b"heat"]  # each of the others occurs once
    names = {k: list(v) for k, v in _by_id(rows, "item_id", "item_name").items()}
    assert names == {b"a": [1, 0], b"b": [1, 0, 0], b"c": []}
    genres = {k: list(v) for k, v in _by_id(rows, "item_id", "item_genres").items()}
    assert genres == {b"a": [1, 2], b"b": [1], b"c": []}


def test_numbers_are_standardised_and_missing_is_the_mean(items):
    rows, _ = items
    values_by_id = _by_id(rows, "item_id", "item_price")
    np.testing.assert_allclose([values_by_id[k] for k in (b"a", b"b", b"c")], [-1, 1, 0], atol=1e-5)


def test_a_missing_vector_is_zero(items):
    rows, _ = items
    values_by_id = _by_id(rows, "item_id", "item_cover")
    np.testing.assert_allclose(
        [values_by_id[k] for k in (b"a", b"b", b"c")], [[0.5, -0.5], [0, 0], [1, 2]]
    )


def test_timelines_keep_their_lists_and_learn_users(planted, timelines):
    rows, graph = timelines
    for name in ("item_ids", "timestamps", "positive", "target_from", "label_rating"):
        values_by_id = _by_id(rows, "user_id", name)
        np.testing.assert_array_equal(values_by_id[b"u"], planted.timelines[0][name])
        np.testing.assert_array_equal(values_by_id[b"v"], planted.timelines[1][name])
    users = {k: int(v) for k, v in _by_id(rows, "user_id", "user_index").items()}
    words = _words(graph, USER_VOCABULARY)
    assert users == {word: at + 1 for at, word in enumerate(words)}
    assert {k: int(v) for k, v in _by_id(rows, "user_id", "user_region").items()} == {
        b"u": 1,
        b"v": 0,
    }


def test_holes_among_the_events_neither_count_nor_spread(timelines):
    """Known baskets are 2, 6 and 4, known days 1, 3 and 2; deviations sqrt(8/3) and sqrt(2/3)."""
    rows, graph = timelines
    spread = np.sqrt(1.5)
    for name in ("context_basket", "context_since"):
        values_by_id = _by_id(rows, "user_id", name)
        np.testing.assert_allclose(values_by_id[b"u"], [-spread, 0, spread], atol=1e-4)
        np.testing.assert_allclose(values_by_id[b"v"], [0], atol=1e-4)
    device = _by_id(rows, "user_id", "context_device")
    assert _words(graph, "context_device") == [b"phone", b"web"]
    assert list(device[b"u"]) == [1, 0, 2]


def test_transformed_features_have_the_shapes_that_the_trainers_read(items):
    _, graph = items
    spec = graph.transformed_feature_spec()
    for name in ("item_index", "item_price", "item_studio"):
        assert spec[name] == tf.io.FixedLenFeature([], spec[name].dtype), name
    assert spec["item_cover"].shape == [2]
    assert schema_utils.schema_as_feature_spec(graph.transformed_metadata.schema)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Heat (1995)", ["heat", "1995"]),
        ("Se7en", ["se7en"]),
        ("Straße: L'Été — «Ça»!", ["strasse", "l", "été", "ça"]),
        ("宮崎駿の\u3000アニメ 2", ["宮崎駿の", "アニメ", "2"]),
        ("ﬁne Ｆｕｌｌ", ["fine", "full"]),
        ("C++ & $5.50", ["c", "5", "50"]),
        ("Apollo 13 1995", ["apollo", "13", "1995"]),
        ("...", []),
        ("", []),
    ],
)
def test_split_words(text, words):
    result = split_words(tf.ragged.constant([[text], []], dtype=tf.string))
    assert [word.decode() for word in result[0].numpy()] == words
    assert result[1].shape == (0,)


def test_several_texts_of_a_row_become_one_list_of_words():
    words = split_words(tf.ragged.constant([["a b", "c"], ["d"]]))
    assert words.to_list() == [[b"a", b"b", b"c"], [b"d"]]
