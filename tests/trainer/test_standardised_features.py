"""Numbers of a Transform that has been fitted to train, and of rows that come later."""

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from schema.features import Number, Timestamp
from trainer import preprocessing

DAY = 86_400
NUMBER, MOMENT = Number(kind="number"), Timestamp(kind="timestamp")


def preprocess(inputs):
    floats = {
        name: preprocessing.standardised(inputs[name].flat_values, NUMBER)
        for name in ("varied", "constant", "never")
    }
    moment = preprocessing.standardised(inputs["moment"].flat_values, MOMENT)
    kept = floats | {"moment": moment}
    return {name: inputs[name].with_flat_values(values) for name, values in kept.items()}


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """Of train 1 and 3 in `varied`, and one value throughout in the others, if any."""
    spec = {
        name: tf.io.RaggedFeature(tf.int64 if name == "moment" else tf.float32)
        for name in ("varied", "constant", "never", "moment")
    }
    metadata = tft.DatasetMetadata.from_feature_spec(spec)
    constant = {"constant": [0.1], "never": [], "moment": [19_700 * DAY]}
    train = [{"varied": [float(n)]} | constant for n in (1, 3, 1, 3, 1, 3)]
    rows = [{"varied": [4.0], "constant": [7.0], "never": [1e6], "moment": [19_800 * DAY]}]
    with tft_beam.Context(temp_dir=str(tmp_path_factory.mktemp("transform"))):
        fitted = (train, metadata) | tft_beam.AnalyzeDataset(preprocess)
        (found, _) = ((rows, metadata), fitted) | tft_beam.TransformDataset()
    return {name.partition("$")[0]: list(values) for name, values in found[0].items()}


def test_what_varied_is_scaled(later):
    assert later["varied"] == pytest.approx([2.0])  # mean 2, deviation 1


@pytest.mark.parametrize("name", ["constant", "never", "moment"])
def test_what_never_varied_or_never_was_is_zero_whatever_comes(later, name):
    assert later[name] == [0.0]
