"""Training starts from the pushed version only if that has not used valid and test."""

import types

import numpy as np
import pytest

from components.pushed.warm_start import decide_warm_start
from schema.candidates import to_text_array
from serving.versions.origin import CANDIDATES_FOLDER, get_extra_folder
from trainer.retrieval.warm_start import EmbeddingTable, LearnedWeights, save_weights

VALID_BEGINS = 1_000
TABLES = {"item_id": EmbeddingTable(to_text_array([b"a", b"b"]), np.zeros((3, 2), np.float32))}


@pytest.fixture
def data():
    """The start of valid, as in `trainer.data.training_data.TrainingData`."""
    return types.SimpleNamespace(valid="valid", moment={"valid": VALID_BEGINS}.__getitem__)


@pytest.fixture
def pushed(tmp_path):
    """Creates version 7, whose weights were trained on events until `learned_until`."""

    def call(learned_until):
        weights = LearnedWeights(TABLES, {}, learned_until)
        folder = get_extra_folder(tmp_path, "7")
        save_weights(weights, str(folder / CANDIDATES_FOLDER))
        return str(tmp_path)

    return call


def test_a_version_trained_until_just_before_valid_is_a_warm_start(data, pushed):
    result = decide_warm_start(data, pushed(VALID_BEGINS - 1), "7")
    assert (result.version, result.reason) == ("7", "")
    assert result.start is not None
    assert result.describe() == {"version": 7, "rows": {}, "anew": []}


def test_a_version_trained_on_the_first_event_of_valid_is_not_a_warm_start(data, pushed):
    result = decide_warm_start(data, pushed(VALID_BEGINS), "7")
    assert result.start is None
    assert result.describe() == {
        "version": None,
        "reason": "version 7 was trained on events until 1970-01-01T00:16:40+00:00, and valid "
        "begins at 1970-01-01T00:16:40+00:00: its events would leak into the weights",
    }


def test_a_version_without_weights_is_not_a_warm_start_and_is_logged(data, tmp_path):
    (tmp_path / "recommender" / "7").mkdir(parents=True)
    assert decide_warm_start(data, str(tmp_path), "7").describe() == {
        "version": None,
        "reason": "version 7 was pushed without retrieval.warm_start",
    }


def test_without_a_pushed_version_training_starts_from_scratch(data, tmp_path):
    result = decide_warm_start(data, str(tmp_path), "")
    assert result.describe() == {"version": None, "reason": "nothing is pushed yet"}
