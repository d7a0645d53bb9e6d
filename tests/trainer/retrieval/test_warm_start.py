"""Weights of an earlier model, transferred to one with other vocabularies."""

import dataclasses
import types
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from schema.candidates import to_text_array
from tests.trainer import chains
from trainer.retrieval.training import build_epochs, fit_model
from trainer.retrieval.warm_start import (
    EmbeddingTable,
    LearnedWeights,
    WarmStart,
    carry_over_rows,
    collect_weights,
    list_other_variables,
    load_weights,
    save_weights,
)
from trainer.training.checkpoints import list_weights


def table(ids, rows):
    return EmbeddingTable(
        to_text_array([name.encode() for name in ids]), np.array(rows, np.float32)
    )


def test_rows_follow_their_ids():
    learned = table("abc", [[9, 9], [1, 10], [2, 20], [3, 30]])
    own = np.array([[0, 0], [7, 70], [8, 80], [6, 60]], np.float32)
    rows, count = carry_over_rows(own, to_text_array([b"c", b"new", b"a"]), learned)
    assert rows.tolist() == [[9, 9], [3, 30], [8, 80], [1, 10]]
    assert count == 2
    assert own.tolist()[0] == [0, 0]


def test_nothing_in_common_leaves_all_rows_but_that_of_the_unknown():
    learned = table("ab", [[5], [1], [2]])
    own = np.array([[0], [7]], np.float32)
    rows, count = carry_over_rows(own, to_text_array([b"z"]), learned)
    assert (rows.tolist(), count) == ([[5], [7]], 0)


class Graph:
    """The part of a Transform graph that has vocabularies."""

    def __init__(self, **values):
        self._values = values

    def vocabulary_file_by_name(self, name):
        return name if name in self._values else None

    def vocabulary_by_name(self, name):
        return self._values[name]


def build_data(items, users) -> Any:
    """The part of `trainer.data.training_data.TrainingData` that has vocabularies."""
    return types.SimpleNamespace(
        catalogue=types.SimpleNamespace(item_ids=np.array([b"", *items], object)),
        items_graph=Graph(),
        timelines_graph=Graph(user_id=users),
        train=chains.TIMELINES,
    )


ITEMS = [b"%d" % n for n in range(1, chains.ITEMS + 1)]
USERS = [b"u%d" % n for n in range(5)]


@pytest.fixture
def built():
    """A model with initialised variables, all of which have the value `value`."""

    def call(value, config=chains.CONFIG):
        model = chains.model(config)
        epochs, _ = build_epochs(model, chains.TIMELINES, config, 1, chains.ONE)
        first = next(epochs(0))
        model.compute_loss({key: tf.constant(values) for key, values in first.items()})
        for number, variable in enumerate(list_weights(model)):
            positions = np.arange(variable.shape.num_elements()).reshape(variable.shape)
            variable.assign(value + number + positions / 1024)
        return model

    return call


def test_a_model_receives_dense_weights_and_the_rows_of_known_ids(built, tmp_path):
    before = built(100)
    save_weights(collect_weights(before, build_data(ITEMS, USERS)), str(tmp_path))
    weights = load_weights(str(tmp_path))
    assert weights is not None
    after = built(0)
    own = after.tables["item_id"].embeddings.numpy()
    start = WarmStart(
        weights, build_data([b"8", b"new", *ITEMS[:6]], [b"u4", b"u3", b"a", b"b", b"c"])
    )
    start.assign_to(after)

    old, new = before.tables["item_id"].embeddings, after.tables["item_id"].embeddings
    np.testing.assert_array_equal(new[0], old[0])
    np.testing.assert_array_equal(new[1], old[8])
    np.testing.assert_array_equal(new[2], own[2])
    np.testing.assert_array_equal(new[3:], old[1:7])
    old, new = before.tables["user_id"].embeddings, after.tables["user_id"].embeddings
    np.testing.assert_array_equal(new[1:3], old[5:3:-1])
    for name, variable in list_other_variables(after).items():
        np.testing.assert_array_equal(variable, list_other_variables(before)[name])
    assert start.carried.rows == {
        "item_id": {"carried": 7, "new": 1},
        "user_id": {"carried": 2, "new": 3},
    }
    assert start.carried.random == []
    assert weights.learned_until == 11 * 86_400  # the last of twelve events, a day apart


def test_weights_of_another_shape_are_trained_from_scratch_and_named(built):
    """Another width of the vectors: the user's table has its own width and is transferred."""
    data = build_data(ITEMS, USERS)
    weights = collect_weights(built(100), data)
    wider = built(0, chains.CONFIG.model_copy(update={"embedding_dim": 16}))
    own = wider.tables["item_id"].embeddings.numpy()
    start = WarmStart(weights, data)
    start.assign_to(wider)
    np.testing.assert_array_equal(wider.tables["item_id"].embeddings, own)
    assert "item_id" in start.carried.random
    assert "query_tower.query_hidden.kernel" in start.carried.random
    assert start.carried.rows == {"user_id": {"carried": 5, "new": 0}}
    assert "query_tower.history.block_0.attention.distance_bias" not in start.carried.random


def test_training_starts_from_the_given_weights(tmp_path):
    """After one epoch with a learning rate near zero, a warm-started model is as good as the
    trained one from which it started; without a warm start it stays as bad as before.
    """
    trained = chains.model()
    chains.fitted(tmp_path / "cold", model=trained)
    data = build_data(ITEMS, USERS)
    weights = collect_weights(trained, data)
    still = chains.CONFIG.model_copy(update={"learning_rate": 1e-30, "epochs": 1})

    def loss(name, start):
        model = chains.model(still)
        context = dataclasses.replace(chains.context(tmp_path / name, still), warm_start=start)
        measure = chains.PlantedMeasure(lambda: chains.ranked(model))
        return fit_model(model, context, measure)["val_loss"][0]

    assert loss("warm", WarmStart(weights, data)) < loss("anew", None) - 0.5


def test_an_artifact_without_weights_has_none(tmp_path):
    assert load_weights(str(tmp_path)) is None


def test_ids_are_returned_unchanged(tmp_path):
    ids = [b"", "é".encode(), b"\xff\x00", b"z"]
    weights = LearnedWeights(
        {
            "item_id": EmbeddingTable(to_text_array(ids), np.zeros((5, 2), np.float32)),
            "item_name": EmbeddingTable(
                to_text_array(pa.array([], pa.binary())), np.ones((1, 3), np.float32)
            ),
        },
        {"a.b": np.array([1.5], np.float32)},
        1_700_000_000,
    )
    save_weights(weights, str(tmp_path))
    result = load_weights(str(tmp_path))
    assert result is not None
    assert result.tables["item_id"].ids.to_pylist() == ids
    assert result.tables["item_name"].ids.to_pylist() == []
    assert result.tables["item_name"].rows.shape == (1, 3)
    assert result.learned_until == 1_700_000_000
    assert {name: values.tolist() for name, values in result.others.items()} == {"a.b": [1.5]}
