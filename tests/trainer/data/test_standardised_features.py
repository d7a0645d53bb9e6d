"""Numbers of a Transform that was fitted to train, and of later rows."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from schema.features import Number, Timestamp
from trainer.data.preprocessing import standardise

DAY = 86_400
NUMBER, MOMENT = Number(kind="number"), Timestamp(kind="timestamp")


def preprocess(inputs):
    floats = {
        name: standardise(inputs[name].flat_values, NUMBER)
        for name in ("varied", "constant", "never")
    }
    moment = standardise(inputs["moment"].flat_values, MOMENT)
    retained = floats | {"moment": moment}
    return {name: inputs[name].with_flat_values(values) for name, values in retained.items()}


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """`varied` is 1 and 3 in train; the others have one constant value, or none."""
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
        (result, _) = ((rows, metadata), fitted) | tft_beam.TransformDataset()
    return {name.partition("$")[0]: list(values) for name, values in result[0].items()}


def test_varying_values_are_scaled(later):
    assert later["varied"] == pytest.approx([2.0])  # mean 2, deviation 1


@pytest.mark.parametrize("name", ["constant", "never", "moment"])
def test_constant_or_absent_values_are_always_zero(later, name):
    assert later[name] == [0.0]


@pytest.mark.parametrize("size", [1, 7, 300])
def test_how_rows_are_batched_shows_in_no_bit(tmp_path, size):
    """The moments of rows in one batch are float64's: mean and deviation by NumPy."""
    values = np.random.default_rng(1).lognormal(3, 2, 300).astype(np.float32)
    metadata = tft.DatasetMetadata.from_feature_spec({"x": tf.io.RaggedFeature(tf.float32)})
    rows = [{"x": [value]} for value in values.tolist()]
    with tft_beam.Context(temp_dir=str(tmp_path), desired_batch_size=size):
        (result, _), _ = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: {
                "x": inputs["x"].with_flat_values(standardise(inputs["x"].flat_values, NUMBER))
            }
        )
    exact = values.astype(np.float64)
    expected = ((exact - exact.mean()) / exact.std()).astype(np.float32)
    scaled = [
        float(value)
        for row in result
        for name, at in row.items()
        if "values" in name
        for value in at
    ]
    assert sorted(scaled) == sorted(expected.tolist())
