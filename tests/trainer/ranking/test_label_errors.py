"""Errors of planted models against explicit arithmetic, and notes if nothing can be measured."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from schema.dataset import Dataset
from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.data.training_data import TrainingData
from trainer.ranking.label_errors import measure_label_errors
from trainer.ranking.labels import select_learnable

VECTORS = np.zeros((4, 3), np.float32)
"""The last column is popularity."""
LABELS = {
    "rating": {"column": "rating", "kind": "regression"},
    "bought": {"column": "bought", "kind": "binary", "at_least": 2},
}


class Query(tf.Module):
    """A catalogue whose vectors are zeros."""

    def positions(self, batch):
        return tf.zeros([*batch["item_index"].shape, 3])


class Ranking(tf.Module):
    """Item i is rated i and bought with probability i / 4, before calibration 1."""

    def score(self, inputs):
        item = tf.cast(inputs["candidates"], tf.float32)
        return {"rating": item, "bought": item / 4}

    def uncalibrated(self, inputs):
        item = tf.cast(inputs["candidates"], tf.float32)
        return {"rating": item, "bought": tf.ones_like(item)}


@pytest.fixture
def data(planted, timelines_of):
    """Train: two events; test: item 1, item 2 (not positive), and an unknown one."""
    names = np.array([b"", b"a", b"b", b"c"], object)
    declared = {
        "data": {"interactions": {"path": "e.csv"}, "items": {"path": "i.csv"}},
        "labels": {"ranking": LABELS},
    }
    return TrainingData(
        dataset=Dataset.model_validate(declared),
        items_graph=planted.items_graph,
        timelines_graph=planted.timelines_graph,
        catalogue=Catalogue(names, names, {}),
        train=timelines_of(
            [(b"u", 1, [1, 2], [1, 2], 0)], labels={"rating": [1, 3], "bought": [1, 2]}
        ),
        valid=timelines_of([(b"u", 1, [1], [3], 0)], labels={"rating": [1], "bought": [1]}),
        test=timelines_of(
            [(b"u", 1, [3, 1, 2, 0], [3, 4, 5, 6], 1)],
            positive=[1, 1, 0, 1],
            labels={"rating": [9, 3, 1, 9], "bought": [9, 2, np.nan, 9]},
        ),
    )


def _measured(data):
    return measure_label_errors(data, Query(), Ranking(), VECTORS, RetrievalConfig())


def test_all_own_test_events_on_known_items_count(data):
    """Item 1 is rated 3, predicted 1; item 2 is rated 1, predicted 2.

    The bias baseline: mean 2; item 1 is (1 - 2) / 6 below, item 2 as much above; the user's bias is
    0, because the residuals of both ratings add up to 0.
    """
    measurements = _measured(data)["rating"]
    assert (measurements["kind"], measurements["events"]) == ("regression", 2)
    assert measurements["rmse"] == pytest.approx(np.sqrt((4 + 1) / 2))
    assert measurements["mae"] == pytest.approx(1.5)
    errors = np.array([3 - (2 - 1 / 6), 1 - (2 + 1 / 6)])
    assert measurements["bias_baseline_rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert measurements["bias_baseline_mae"] == pytest.approx(np.mean(np.abs(errors)))


def test_probabilities_of_the_events_that_have_the_label(data):
    """One test event: item 1, bought, with probability 1/4 and, uncalibrated, 1."""
    measurements = _measured(data)["bought"]
    assert (measurements["kind"], measurements["events"]) == ("binary", 1)
    assert measurements["rmse"] == pytest.approx(0.75)
    assert measurements["log_loss"] == pytest.approx(np.log(4))
    assert measurements["expected_calibration_error"] == pytest.approx(0.75)
    assert measurements["uncalibrated_expected_calibration_error"] == 0
    assert measurements["reliability"] == [
        {"low": 0.25, "high": 0.25, "predicted": 0.25, "observed": 1.0, "events": 1}
    ]
    # train: item 1 not bought, item 2 bought: mean 1/2, biases of (1/2) / 6
    assert measurements["bias_baseline_rmse"] == pytest.approx(1 - (0.5 - 0.5 / 6))


@pytest.mark.parametrize(
    ("split", "values", "note"),
    [
        ("train", np.nan, "no event of train on an item of the catalogue has a value of rating"),
        ("test", np.nan, "no event of test on an item of the catalogue has a value of rating"),
        ("train", 4, "rating is 4 in all 2 events of train: nothing to learn"),
    ],
)
def test_an_unmeasurable_label_is_noted(data, split, values, note):
    timelines = getattr(data, split)
    rating = np.full(len(timelines.item_index), values, np.float32)
    changed = dataclasses.replace(timelines, labels=timelines.labels | {"rating": rating})
    measurements = _measured(dataclasses.replace(data, **{split: changed}))
    assert measurements["rating"].pop("events") == (0 if split == "test" else 2)
    assert measurements["rating"] == {"kind": "regression", "note": note}
    assert "rmse" in measurements["bought"]
    json.dumps(measurements, allow_nan=False)


def test_a_binary_label_below_its_bound_is_constant_too(data):
    nothing = np.ones(2, np.float32)
    labels = data.train.labels | {"bought": nothing}
    measurements = _measured(
        dataclasses.replace(data, train=dataclasses.replace(data.train, labels=labels))
    )
    assert measurements["bought"] == {
        "kind": "binary",
        "events": 1,
        "note": "bought is below 2 in all 2 events of train: nothing to learn",
    }


def test_a_label_without_a_value_in_train_gets_no_head(data):
    assert list(select_learnable(data)) == ["rating", "bought"]
    labels = data.train.labels | {"rating": np.full(2, np.nan, np.float32)}
    without = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=labels))
    assert list(select_learnable(without)) == ["bought"]
