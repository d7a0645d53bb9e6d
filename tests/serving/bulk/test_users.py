"""Requests for many users, written out by hand."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from serving.bulk.users import build_user_batch, get_feature_values

TABLE = pa.table(
    {
        "user_id": pa.array(["ann", "bob", "zoë"], pa.large_string()),
        "item_ids": pa.array([["a", "b", "c"], ["d", "é", "f"], None], pa.large_list(pa.string())),
        "timestamps": pa.array([[1, 2, 3], [4, 5, 6], None], pa.large_list(pa.int64())),
        "context_device": pa.array([["x"] * 3, ["y"] * 3, None], pa.large_list(pa.string())),
        "user_region": pa.array(["north", None, None], pa.large_string()),
    }
)
DECLARED = {
    "user_id": tf.TensorSpec([None], tf.string),
    "now": tf.TensorSpec([None], tf.int64),
    "context_device": tf.TensorSpec([None], tf.string),
    "user_region": tf.TensorSpec([None], tf.string),
}
REGION, AGE, SINCE = (tf.TensorSpec([None], kind) for kind in (tf.string, tf.float32, tf.int64))
TAGS = tf.TensorSpec([None, None], tf.string)
FACE = tf.TensorSpec([None, 2], tf.float32)


def build_request(user_batch, rows, length):
    inputs = user_batch.requests(np.array(rows), length, 99, DECLARED)
    return {name: values.tolist() for name, values in inputs.items()}


def test_the_latest_events_are_history_and_the_earlier_ones_excluded():
    result = build_request(build_user_batch(TABLE), [1, 0], 2)
    assert result == {
        "user_id": [b"bob", b"ann"],
        "history_item_ids": [["é".encode(), b"f"], [b"b", b"c"]],
        "history_timestamps": [[5, 6], [2, 3]],
        "now": [99, 99],
        "excluded_item_ids": [[b"d"], [b"a"]],
        "context_device": [b"", b""],
        "user_region": [b"", b"north"],
    }


def test_events_after_stop_are_ignored():
    user_batch = build_user_batch(TABLE)
    user_batch.stop[:] = [3, 4, 6]
    assert user_batch.lengths.tolist() == [3, 1, 0]
    request = build_request(user_batch, [0, 1], 1)
    assert request["history_item_ids"] == [[b"c"], [b"d"]]
    assert request["excluded_item_ids"] == [[b"a", b"b"], [b"", b""]]


def test_a_user_without_events():
    request = build_request(build_user_batch(TABLE), [2], 0)
    assert request["user_id"] == ["zoë".encode()]
    assert request["history_item_ids"] == request["excluded_item_ids"] == [[]]


def test_a_slice_of_a_table_holds_only_its_users():
    user_batch = build_user_batch(TABLE.slice(1, 1))
    assert len(user_batch) == 1
    assert build_request(user_batch, [0], 3)["history_item_ids"] == [[b"d", "é".encode(), b"f"]]


@pytest.mark.parametrize(
    ("column", "spec", "expected"),
    [
        (pa.array(["n", None, "s"]), REGION, [b"s", b""]),
        (pa.array([7.5, None, 2.5]), AGE, [2.5, np.nan]),
        (pa.array([7, None, 2]), SINCE, [2, 0]),
        (pa.array([["x"], None, ["y", "z"]]), TAGS, [[b"y", b"z"], [b"", b""]]),
        (pa.array([[1.0, 2.0], None, [3.0, 4.0]]), FACE, [[3.0, 4.0], [np.nan, np.nan]]),
        (None, REGION, [b"", b""]),
        (None, AGE, [np.nan, np.nan]),
        (None, TAGS, [[], []]),
        (None, FACE, [[np.nan, np.nan], [np.nan, np.nan]]),
    ],
)
def test_features_of_every_kind_and_their_missing_values(column, spec, expected):
    feature_values = get_feature_values(column, spec, np.array([2, 1]))
    tensor = tf.constant(feature_values, spec.dtype)
    assert spec.shape.is_compatible_with(tensor.shape)
    np.testing.assert_array_equal(feature_values.tolist(), expected)
