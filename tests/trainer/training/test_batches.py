import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from schema.errors import ConfigError
from trainer.data.windows import cut_windows
from trainer.training.batches import (
    batch_static_shape,
    count_static_batches,
    pad_batch,
    pad_to_bucket,
    require_equal_shares,
    split_shares,
)


def _batch(rows, length, negatives=4):
    items = np.arange(1, rows * length + 1, dtype=np.int32).reshape(rows, length)
    return {
        "item_index": items,
        "target": items % 2 == 0,
        "event": items.astype(np.int64),
        "user_index": np.arange(1, rows + 1, dtype=np.int32),
        "user_taste": np.ones((rows, 3), np.float32),
        "context_vector": np.ones((rows, length, 2), np.float32),
        "negatives": np.arange(negatives, dtype=np.int32),
    }


@hypothesis.given(strategies.integers(1, 9), strategies.integers(1, 5), strategies.integers(1, 4))
def test_the_shares_of_all_replicas_are_the_batch_and_padding(rows, length, replicas):
    batch = _batch(rows, length, negatives=12)
    parts = split_shares(batch, replicas)
    assert len(parts) == replicas
    for key, values in batch.items():
        assert len({part[key].shape for part in parts}) == 1
        joined = np.concatenate([part[key] for part in parts])
        np.testing.assert_array_equal(joined[: len(values)], values)
        padding = joined[len(values) :]
        assert (padding == (-1 if key == "event" else 0)).all()


def test_padding_adds_rows_and_positions():
    padded = pad_batch(_batch(2, 3), 4, 5)
    assert {key: values.shape for key, values in padded.items()} == {
        "item_index": (4, 5),
        "target": (4, 5),
        "event": (4, 5),
        "user_index": (4,),
        "user_taste": (4, 3),
        "context_vector": (4, 5, 2),
        "negatives": (4,),
    }
    assert padded["item_index"].sum() == 1 + 2 + 3 + 4 + 5 + 6
    assert padded["target"].sum() == 3
    assert (padded["event"] == -1).sum() == 4 * 5 - 2 * 3


def test_few_shapes_for_many():
    """Of at most 120 positions: length 5 becomes 6, with rows for 24 windows of length 5."""
    shapes = {
        length: pad_to_bucket(_batch(120 // length, length), 120, 20)["item_index"].shape
        for length in (1, 2, 3, 4, 5, 6, 7, 8, 13, 17, 20)
    }
    assert shapes == {
        1: (120, 1), 2: (60, 2), 3: (40, 3), 4: (30, 4), 5: (24, 6), 6: (24, 6), 7: (17, 8),
        8: (17, 8), 13: (9, 16), 17: (7, 20), 20: (7, 20),
    }  # fmt: skip


def test_one_shape_holds_every_window_once(timelines_of):
    rows = [
        (b"u", 1, [1, 2, 3], [1, 2, 3], 0),
        (b"v", 2, [4], [1], 0),
        (b"w", 3, [5, 6], [1, 2], 0),
    ]
    timelines = timelines_of(rows)
    cut = cut_windows(timelines, 10)
    rng = np.random.default_rng(1)
    batches = list(batch_static_shape(timelines, cut, 6, rng))
    assert [b["item_index"].shape for b in batches] == [(2, 3), (2, 3)]
    assert count_static_batches(cut, 6) == 2
    items = np.concatenate([b["item_index"].ravel() for b in batches])
    assert sorted(items[items > 0]) == [1, 2, 3, 4, 5, 6]


def test_negatives_that_cannot_be_shared_evenly_are_a_configuration_error():
    require_equal_shares(12, 4)
    with pytest.raises(ConfigError, match=r"multiple of the 4 replicas, received 10; 12 is the"):
        require_equal_shares(10, 4)
